// TxnOffsetCommit: versions 0 to 5; leader epochs from 2, the member from 3 (KIP-447), TRANSACTION_ABORTABLE
// from 4, committing adds the group to the transaction from 5 (KIP-890).
#include "protocol/txn_offset_commit.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "broker/asked_partitions.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/transaction_call.h"

namespace brook::broker {
namespace {

using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;

constexpr std::int16_t kFirstVersionWithLoading = 2;
constexpr std::int16_t kFirstVersionWithAbortable = 4;
constexpr std::int16_t kFirstVersionThatAdds = 5;

TransactionSupport support_of(std::int16_t version) {
  if (version >= kFirstVersionThatAdds) return TransactionSupport::kAdds;
  return version >= kFirstVersionWithAbortable ? TransactionSupport::kGeneric : TransactionSupport::kPlain;
}

class TxnOffsetCommitHandler final : public TypedHandler<TxnOffsetCommitRequest, TxnOffsetCommitResponse> {
 public:
  TxnOffsetCommitHandler(ClusterView& view, GroupRouter& groups, TransactionRouter& transactions)
      : view_(view), groups_(groups), transactions_(transactions) {}

 private:
  Task<TxnOffsetCommitResponse> serve(const RequestContext& context,
                                      TxnOffsetCommitRequest request) override {
    TxnOffsetCommitResponse response = set_unknown_aside<TxnOffsetCommitResponse>(*view_.image(), request);
    if (!request.topics.empty()) {
      TxnOffsetCommitResponse committed = co_await commit(request, context.version);
      std::ranges::move(committed.topics, std::back_inserter(response.topics));
    }
    if (context.version < kFirstVersionWithLoading) hide_loading(response);
    co_return response;
  }

  [[nodiscard]] Task<TxnOffsetCommitResponse> commit(TxnOffsetCommitRequest request, std::int16_t version) {
    constexpr std::string_view kTopic = coordinator::GroupCoordinator::kTopic;
    const cluster::ImagePtr image = view_.image();
    if (request.group_id.empty()) co_return all(request, ErrorCode::kInvalidGroupId);
    const auto partition = partition_of_coordinator(*image, kTopic, request.group_id);
    if (!partition) co_return all(request, ErrorCode::kNotCoordinator);
    const auto place = groups_.place(*partition);
    const auto count = [&](coordinator::GroupPartition& groups) {
      return groups.markers_of(ProducerId(request.producer_id));
    };
    const std::uint32_t markers = co_await groups_.at(place, std::uint32_t{0}, count);
    const TransactionSupport support = support_of(version);
    if (support == TransactionSupport::kAdds || verifies_partitions(view_)) {
      coordinator::AddPartitionsCall call;
      call.transactional_id = request.transactional_id;
      call.producer = {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)};
      call.partitions.push_back({std::string(kTopic), partition->partition});
      const std::vector<ErrorCode> codes =
          co_await admit_to_transaction(transactions_, image, std::move(call), support);
      // Retriable, in the words that offsets have for it.
      if (codes.front() == ErrorCode::kNotEnoughReplicas)
        co_return all(request, ErrorCode::kCoordinatorNotAvailable);
      if (codes.front() != ErrorCode::kNone) co_return all(request, codes.front());
    }
    const auto work = [&](coordinator::GroupPartition& groups) {
      return groups.commit_in_transaction(request, markers);
    };
    TxnOffsetCommitResponse refused = all(request, ErrorCode::kNotCoordinator);
    TxnOffsetCommitResponse response = co_await groups_.at(place, std::move(refused), work);
    co_return response;
  }

  [[nodiscard]] static TxnOffsetCommitResponse all(const TxnOffsetCommitRequest& request, ErrorCode code) {
    TxnOffsetCommitResponse out;
    for (const auto& topic : request.topics) {
      auto& refused = out.topics.emplace_back();
      refused.name = topic.name;
      for (const auto& partition : topic.partitions)
        refused.partitions.push_back({partition.partition_index, wire(code)});
    }
    return out;
  }

  /// Older clients take COORDINATOR_LOAD_IN_PROGRESS for the end.
  static void hide_loading(TxnOffsetCommitResponse& response) {
    for (auto& topic : response.topics) {
      for (auto& partition : topic.partitions) {
        if (partition.error_code == wire(ErrorCode::kCoordinatorLoadInProgress))
          partition.error_code = wire(ErrorCode::kCoordinatorNotAvailable);
      }
    }
  }

  ClusterView& view_;
  GroupRouter& groups_;
  TransactionRouter& transactions_;
};

}  // namespace

std::unique_ptr<Handler> make_txn_offset_commit_handler(ClusterView& view, GroupRouter& groups,
                                                        TransactionRouter& transactions) {
  return std::make_unique<TxnOffsetCommitHandler>(view, groups, transactions);
}

}  // namespace brook::broker
