// AddPartitionsToTxn: versions 0 to 5; PRODUCER_FENCED from 2, several transactions in one request, which
// brokers and no clients send, from 4 (KIP-890), TRANSACTION_ABORTABLE from 5.
#include "protocol/add_partitions_to_txn.h"

#include <algorithm>
#include <utility>

#include "broker/handlers/handlers.h"
#include "broker/handlers/transaction_call.h"

namespace brook::broker {
namespace {

using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using Transaction = AddPartitionsToTxnRequest::AddPartitionsToTxnTransaction;
using TopicResults = std::vector<AddPartitionsToTxnResponse::AddPartitionsToTxnTopicResult>;

constexpr std::int16_t kFirstVersionWithSeveral = 4;

class AddPartitionsToTxnHandler final
    : public TypedHandler<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse> {
 public:
  AddPartitionsToTxnHandler(ClusterView& view, TransactionRouter& transactions)
      : view_(view), transactions_(transactions) {}

 private:
  Task<AddPartitionsToTxnResponse> serve(const RequestContext& context,
                                         AddPartitionsToTxnRequest request) override {
    AddPartitionsToTxnResponse response;
    if (context.version < kFirstVersionWithSeveral) {
      Transaction one{std::move(request.v3_and_below_transactional_id), request.v3_and_below_producer_id,
                      request.v3_and_below_producer_epoch, false, std::move(request.v3_and_below_topics)};
      response.results_by_topic_v3_and_below = co_await add(std::move(one), context.version);
      co_return response;
    }
    for (Transaction& one : request.transactions) {
      auto& result = response.results_by_transaction.emplace_back();
      result.transactional_id = one.transactional_id;
      TopicResults added = co_await add(std::move(one), context.version);
      response.results_by_transaction.back().topic_results = std::move(added);
    }
    co_return response;
  }

  [[nodiscard]] Task<TopicResults> add(Transaction asked, std::int16_t version) {
    coordinator::AddPartitionsCall call;
    call.transactional_id = asked.transactional_id;
    call.producer = {ProducerId(asked.producer_id), ProducerEpoch(asked.producer_epoch)};
    if (version >= kFirstVersionWithSeveral)
      call.protocol = coordinator::TransactionProtocol::kEpochPerTransaction;
    std::vector<ErrorCode> codes;
    bool all_known = true;
    for (const auto& topic : asked.topics) {
      const cluster::TopicPtr known = view_.image()->topics.find(topic.name);
      for (const std::int32_t index : topic.partitions) {
        const bool there = known && known->partition(PartitionIndex(index)) != nullptr;
        all_known = all_known && there;
        codes.push_back(there ? ErrorCode::kOperationNotAttempted : ErrorCode::kUnknownTopicOrPartition);
        call.partitions.push_back({topic.name, PartitionIndex(index)});
      }
    }
    // All of them or none.
    if (all_known && asked.verify_only) {
      codes = co_await verify_in_transaction(transactions_, view_.image(), std::move(call));
    } else if (all_known) {
      const ErrorCode code = co_await add_to_transaction(transactions_, view_.image(), std::move(call));
      std::ranges::fill(codes, fencing_known_to(version, code));
    }
    TopicResults results;
    std::size_t next = 0;
    for (const auto& topic : asked.topics) {
      auto& result = results.emplace_back();
      result.name = topic.name;
      for (const std::int32_t index : topic.partitions)
        result.results_by_partition.push_back({index, wire(codes[next++])});
    }
    co_return results;
  }

  ClusterView& view_;
  TransactionRouter& transactions_;
};

}  // namespace

std::unique_ptr<Handler> make_add_partitions_to_txn_handler(ClusterView& view,
                                                            TransactionRouter& transactions) {
  return std::make_unique<AddPartitionsToTxnHandler>(view, transactions);
}

}  // namespace brook::broker
