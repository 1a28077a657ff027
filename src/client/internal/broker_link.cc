#include "client/internal/broker_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "protocol/api.h"
#include "protocol/headers.h"
#include "protocol/reader.h"

namespace brook::client::internal {
namespace {

constexpr std::string_view kSoftwareName = "brook";
constexpr std::string_view kSoftwareVersion = BROOK_VERSION;
constexpr std::size_t kPrefixSize = 4;

/// The body of an ApiVersions reply. A broker that does not have the version asked for says so in version 0.
Result<protocol::ApiVersionsResponse> decode_versions(const ReplyFrame& frame, std::int16_t asked) {
  protocol::Reader in(frame->bytes());
  BROOK_TRY(const auto header,
            protocol::decode_response_header(in, protocol::api_info(protocol::ApiKey::kApiVersions), asked));
  (void)header;
  protocol::Reader ahead = in;
  const bool refused = ahead.int16() == static_cast<std::int16_t>(ErrorCode::kUnsupportedVersion);
  BROOK_TRY(auto response, protocol::ApiVersionsResponse::decode(in, refused ? std::int16_t{0} : asked));
  return response;
}

}  // namespace

/// Counts a coroutine that is inside of the link, so that stop() can wait for it.
class BrokerLink::Use {
 public:
  explicit Use(BrokerLink& link) : link_(link) { ++link_.users_; }
  ~Use() {
    --link_.users_;
    link_.changed_.notify_all();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  BrokerLink& link_;
};

BrokerLink::BrokerLink(runtime::Shard& shard, net::StreamFactory& streams, const ClientOptions& options,
                       runtime::Address address)
    : shard_(shard),
      streams_(streams),
      options_(options),
      address_(std::move(address)),
      backoff_(shard.random(), options.reconnect_backoff, options.reconnect_backoff_max),
      changed_(shard.clock()) {}

Task<Result<void>> BrokerLink::ready(runtime::Instant deadline) {
  const Use use(*this);
  std::uint64_t waited_for = 0;
  for (;;) {
    if (stopping_) co_return fail(ErrorCode::kNetworkException, "the client was stopped");
    if (ready_) co_return Result<void>();
    if (waited_for > 0 && waited_for <= attempt_ && last_error_) co_return std::unexpected(*last_error_);
    const runtime::Instant now = shard_.clock().now();
    if (now >= deadline) {
      if (last_error_) co_return std::unexpected(*last_error_);
      co_return fail(ErrorCode::kRequestTimedOut,
                     fmt::format("no connection to {} in time", runtime::to_text(address_)));
    }
    if (running_) {
      waited_for = std::max<std::uint64_t>(attempt_, 1);
      (void)co_await changed_.wait_until(deadline);
    } else if (now < not_before_) {
      (void)co_await changed_.wait_until(std::min(deadline, not_before_));
    } else {
      running_ = true;
      waited_for = ++attempt_;
      last_error_.reset();
      gate_.spawn(connect_and_serve());
    }
  }
}

Task<void> BrokerLink::connect_and_serve() {
  const std::uint64_t attempt = attempt_;
  const runtime::Instant deadline = shard_.clock().now() + options_.connect_timeout;
  Result<std::unique_ptr<runtime::Stream>> stream = co_await streams_.connect(address_, deadline);
  if (!stream || stopping_) {
    failed(stream ? Error{ErrorCode::kNetworkException, "the client was stopped"} : stream.error());
    co_return;
  }
  Connection connection(shard_, *std::move(stream), options_.response_bytes_max);
  connection_ = &connection;
  gate_.spawn(negotiate(attempt, deadline));
  Error why = co_await connection.serve();
  connection_ = nullptr;
  const bool was_ready = std::exchange(ready_, false);
  if (was_ready) {
    // It worked: the next one need not wait.
    backoff_.reset();
    running_ = false;
    last_error_ = std::move(why);
    changed_.notify_all();
  } else {
    failed(std::move(why));
  }
}

void BrokerLink::failed(Error why) {
  log::debug("connect_failed", {{"broker", runtime::to_text(address_)}, {"error", why.context}});
  running_ = false;
  last_error_ = std::move(why);
  not_before_ = shard_.clock().now() + backoff_.next();
  changed_.notify_all();
}

Task<void> BrokerLink::negotiate(std::uint64_t attempt, runtime::Instant deadline) {
  Result<ApiVersionTable> table = co_await ask_versions(attempt, deadline);
  if (!is_current(attempt)) co_return;
  if (!table) {
    connection_->close(table.error());
    co_return;
  }
  versions_ = *std::move(table);
  ready_ = true;
  changed_.notify_all();
}

Task<Result<ApiVersionTable>> BrokerLink::ask_versions(std::uint64_t attempt, runtime::Instant deadline) {
  std::int16_t version = our_versions(protocol::ApiKey::kApiVersions).max;
  for (;;) {
    LinkRequest request;
    request.encode = [](protocol::Writer& out, std::int16_t agreed) {
      protocol::ApiVersionsRequest body;
      body.client_software_name = kSoftwareName;
      body.client_software_version = kSoftwareVersion;
      return body.encode(out, agreed);
    };
    request.key = protocol::ApiKey::kApiVersions;
    const std::int32_t correlation_id = connection_->next_correlation_id();
    BROOK_CO_TRY(protocol::Writer frame, encode(request, version, correlation_id));
    BROOK_CO_TRY(const ReplyFrame reply,
                 co_await connection_->exchange(std::move(frame), correlation_id, deadline));
    BROOK_CO_TRY(const auto response, decode_versions(reply, version));
    const auto error = static_cast<ErrorCode>(response.error_code);
    if (error == ErrorCode::kNone) co_return ApiVersionTable(response);
    if (error != ErrorCode::kUnsupportedVersion || version == 0 || !is_current(attempt)) {
      co_return fail(
          error, fmt::format("{} refused ApiVersions: {}", runtime::to_text(address_), error_name(error)));
    }
    // The refusal names the versions that there are; an older broker's names none, and then it is the first.
    const Result<std::int16_t> next = ApiVersionTable(response).common(
        protocol::ApiKey::kApiVersions, {0, static_cast<std::int16_t>(version - 1)});
    version = next.value_or(0);
  }
}

Result<protocol::Writer> BrokerLink::encode(LinkRequest& request, std::int16_t version,
                                            std::int32_t correlation_id) const {
  protocol::Writer frame;
  frame.int32(0);
  protocol::RequestHeader header;
  header.request_api_key = static_cast<std::int16_t>(request.key);
  header.request_api_version = version;
  header.correlation_id = correlation_id;
  header.client_id = options_.client_id;
  BROOK_CHECK(protocol::encode_request_header(frame, header));
  BROOK_CHECK(request.encode(frame, version));
  frame.patch_int32(0, static_cast<std::int32_t>(frame.size() - kPrefixSize));
  return frame;
}

Task<Result<LinkReply>> BrokerLink::exchange(LinkRequest request) {
  const Use use(*this);
  for (;;) {
    BROOK_CO_CHECK(co_await ready(request.deadline));
    if (in_flight_ < options_.requests_in_flight_max) break;
    const bool changed = co_await changed_.wait_until(request.deadline);
    if (!changed) {
      co_return fail(ErrorCode::kRequestTimedOut,
                     fmt::format("{} requests wait for {} already", in_flight_, runtime::to_text(address_)));
    }
  }
  BROOK_CO_TRY(const std::int16_t version, versions_.common(request.key, request.versions));
  const std::int32_t correlation_id = connection_->next_correlation_id();
  BROOK_CO_TRY(protocol::Writer frame, encode(request, version, correlation_id));
  ++in_flight_;
  Result<ReplyFrame> reply = std::unexpected(Error{});
  if (request.expects_reply) {
    reply = co_await connection_->exchange(std::move(frame), correlation_id, request.deadline);
  } else {
    reply = co_await connection_->send_only(std::move(frame), request.deadline);
  }
  --in_flight_;
  if (!reply) co_return std::unexpected(std::move(reply).error());
  co_return LinkReply{version, *std::move(reply)};
}

Task<void> BrokerLink::stop() {
  stopping_ = true;
  if (connection_ != nullptr) connection_->close({ErrorCode::kNetworkException, "the client was stopped"});
  changed_.notify_all();
  while (users_ > 0) (void)co_await changed_.wait_until(runtime::Instant::max());
  co_await gate_.close();
}

}  // namespace brook::client::internal
