#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/api.h"
#include "protocol/headers.h"
#include "record/batch.h"
#include "saturate/connection.h"

/// Requests as frames, and what is in their answers.
namespace brook::saturate {

inline constexpr std::int16_t kProduceVersion = 9;
inline constexpr std::int16_t kFetchVersion = 12;
/// Where a frame has its correlation id: behind its length, API key and version.
inline constexpr std::size_t kCorrelationAt = 8;

template <class T>
T need(Result<T> result) {
  if (!result) stop(result.error().context);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// A whole frame, its length in front.
template <class Request>
protocol::Writer encode(const Request& request, std::int16_t version) {
  protocol::Writer out;
  out.int32(0);  // the length, known at the end
  need(protocol::encode_request_header(
      out, {.request_api_key = Request::kApiKey, .request_api_version = version, .client_id = "bench"}));
  need(request.encode(out, version));
  out.patch_int32(0, static_cast<std::int32_t>(out.size() - sizeof(std::int32_t)));
  return out;
}

/// A frame without its length.
template <class Response>
Response decode(ByteView frame, std::int16_t version) {
  protocol::Reader in(frame);
  const protocol::ApiInfo& api = protocol::api_info(static_cast<protocol::ApiKey>(Response::kApiKey));
  need(protocol::decode_response_header(in, api, version));
  return need(Response::decode(in, version));
}

/// A batch of records without keys, made now; `batch_bytes` at most, but one record at least.
[[nodiscard]] record::Bytes make_batch(std::size_t record_bytes, std::size_t batch_bytes);
[[nodiscard]] std::int64_t record_count(ByteView batch);

/// A Produce request of one batch for one partition.
[[nodiscard]] protocol::Writer produce_frame(const std::string& topic, std::int32_t partition, ByteView batch,
                                             std::int16_t acks);
/// True where the answer has no error; false where the partition's leader does not serve it yet, so that the
/// request may be sent again. Any other error ends the program.
[[nodiscard]] bool is_produced(ByteView frame);
/// Ends the program where the answer has any error.
void check_produced(ByteView frame);

}  // namespace brook::saturate
