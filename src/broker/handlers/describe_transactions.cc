// DescribeTransactions: version 0 (KIP-664).
#include "protocol/describe_transactions.h"

#include <utility>

#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;

struct Item {
  std::optional<TransactionRouter::Place> place;
  DescribeTransactionsResponse::TransactionState answer;
};

struct Work {
  Task<void> operator()(Item& item, coordinator::TransactionPartition* transactions) const {
    if (transactions == nullptr) co_return;
    item.answer = co_await transactions->describe(item.answer.transactional_id);
  }
};

class DescribeTransactionsHandler final
    : public TypedHandler<DescribeTransactionsRequest, DescribeTransactionsResponse> {
 public:
  DescribeTransactionsHandler(ClusterView& view, TransactionRouter& transactions)
      : view_(view), transactions_(transactions) {}

 private:
  Task<DescribeTransactionsResponse> serve(const RequestContext& /*context*/,
                                           DescribeTransactionsRequest request) override {
    std::vector<Item> items;
    for (std::string& id : request.transactional_ids) {
      Item& item = items.emplace_back();
      item.place = transactions_.place(*view_.image(), id);
      item.answer.transactional_id = std::move(id);
      item.answer.error_code = wire(ErrorCode::kNotCoordinator);
    }
    const Work work;
    co_await transactions_.run(items, work);
    DescribeTransactionsResponse response;
    for (Item& item : items) response.transaction_states.push_back(std::move(item.answer));
    co_return response;
  }

  ClusterView& view_;
  TransactionRouter& transactions_;
};

}  // namespace

std::unique_ptr<Handler> make_describe_transactions_handler(ClusterView& view,
                                                            TransactionRouter& transactions) {
  return std::make_unique<DescribeTransactionsHandler>(view, transactions);
}

}  // namespace brook::broker
