// ListTransactions: versions 0 to 2 (KIP-664); those open for longer than a duration from 1, ids by a pattern
// from 2.
#include "protocol/list_transactions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "broker/handlers/handlers.h"
#include "coordinator/id_pattern.h"

namespace brook::broker {
namespace {

using coordinator::IdPattern;
using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;

/// States that Kafka knows and that no transaction of a log is ever seen in.
bool is_passing_state(std::string_view name) { return name == "Dead" || name == "PrepareEpochFence"; }

class ListTransactionsHandler final : public TypedHandler<ListTransactionsRequest, ListTransactionsResponse> {
 public:
  explicit ListTransactionsHandler(TransactionRouter& transactions) : transactions_(transactions) {}

 private:
  Task<ListTransactionsResponse> serve(const RequestContext& /*context*/,
                                       ListTransactionsRequest request) override {
    ListTransactionsResponse response;
    std::optional<IdPattern> pattern;
    if (request.transactional_id_pattern && !request.transactional_id_pattern->empty()) {
      Result<IdPattern> compiled = IdPattern::compile(*request.transactional_id_pattern);
      if (!compiled) {
        response.error_code = wire(compiled.error().code);
        co_return response;
      }
      pattern.emplace(*std::move(compiled));
    }
    for (const std::string& state : request.state_filters) {
      if (!coordinator::find_transaction_state(state) && !is_passing_state(state))
        response.unknown_state_filters.push_back(state);
    }
    const auto list = [&](coordinator::TransactionCoordinator& coordinator) {
      return list_shard(coordinator, request, response);
    };
    co_await transactions_.everywhere(list);
    // Half of the transactions would be taken for all of them.
    if (response.error_code != 0) response.transaction_states.clear();
    std::erase_if(response.transaction_states,
                  [&](const auto& one) { return pattern && !pattern->matches(one.transactional_id); });
    co_return response;
  }

  static Task<bool> list_shard(coordinator::TransactionCoordinator& coordinator,
                               const ListTransactionsRequest& request, ListTransactionsResponse& response) {
    const auto partitions = coordinator.all();
    for (const auto& [index, partition] : partitions) {
      auto listed = co_await partition->list(request);
      if (!listed) {
        response.error_code = wire(listed.error().code);
        co_return false;
      }
      std::ranges::move(*listed, std::back_inserter(response.transaction_states));
    }
    co_return true;
  }

  TransactionRouter& transactions_;
};

}  // namespace

std::unique_ptr<Handler> make_list_transactions_handler(TransactionRouter& transactions) {
  return std::make_unique<ListTransactionsHandler>(transactions);
}

}  // namespace brook::broker
