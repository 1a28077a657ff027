// ShareAcknowledge: versions 1 to 2; 2 adds renewed locks (KIP-1222). A member's word on the records that it
// holds, outside of a ShareFetch. Answered when it is durable.
#include <algorithm>

#include "broker/handlers/handlers.h"
#include "broker/handlers/share_call.h"
#include "protocol/share_acknowledge.h"

namespace brook::broker {
namespace {

using protocol::ShareAcknowledgeRequest;
using protocol::ShareAcknowledgeResponse;

constexpr std::int32_t kLastEpoch = -1;

class ShareAcknowledgeHandler final : public TypedHandler<ShareAcknowledgeRequest, ShareAcknowledgeResponse> {
 public:
  ShareAcknowledgeHandler(ClusterView& view, ShareRouter& router, ShareSessionCache& sessions)
      : view_(view), router_(router), sessions_(sessions) {}

 protected:
  Task<ShareAcknowledgeResponse> serve(const RequestContext& context,
                                       ShareAcknowledgeRequest request) override {
    ShareAcknowledgeResponse response;
    const Result<ShareSessionKey> key = enter(request);
    if (!key) {
      response.error_code = wire(key.error().code);
      response.error_message = key.error().context;
      co_return response;
    }
    const bool may_renew = context.version >= kFirstVersionWithRenew && request.is_renew_ack;
    std::vector<AcknowledgedPartition> partitions = acknowledged_partitions(
        *view_.image(), request.topics, may_renew ? AllowedTypes::kAll : AllowedTypes::kWithoutRenew);
    co_await acknowledge(router_, *key, partitions);
    if (request.share_session_epoch == kLastEpoch) co_await release(router_, *key, sessions_.close(*key));
    response.acquisition_lock_timeout_ms = lock_timeout_ms(view_, key->first);
    for (const AcknowledgedPartition& one : partitions) {
      auto topic = std::ranges::find(response.responses, one.id.topic_id,
                                     &ShareAcknowledgeResponse::ShareAcknowledgeTopicResponse::topic_id);
      if (topic == response.responses.end()) {
        topic = response.responses.emplace(topic);
        topic->topic_id = one.id.topic_id;
      }
      auto& partition = topic->partitions.emplace_back();
      partition.partition_index = one.id.partition.value();
      if (one.error.code == ErrorCode::kNone) continue;
      partition.error_code = wire(to_share_client(one.error.code));
      partition.error_message = one.error.context;
    }
    co_return response;
  }

 private:
  /// Finds the session and takes it to its next epoch.
  [[nodiscard]] Result<ShareSessionKey> enter(const ShareAcknowledgeRequest& request) {
    BROOK_TRY(ShareSessionKey key, session_key(request.group_id, request.member_id));
    if (request.share_session_epoch == kLastEpoch) {
      BROOK_CHECK(sessions_.find(key));
      return key;
    }
    BROOK_TRY(ShareSession* const session, sessions_.find(key, request.share_session_epoch));
    session->advance_epoch();
    return key;
  }

  ClusterView& view_;
  ShareRouter& router_;
  ShareSessionCache& sessions_;
};

}  // namespace

std::unique_ptr<Handler> make_share_acknowledge_handler(ClusterView& view, ShareRouter& router,
                                                        ShareSessionCache& sessions) {
  return std::make_unique<ShareAcknowledgeHandler>(view, router, sessions);
}

}  // namespace brook::broker
