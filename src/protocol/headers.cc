#include "protocol/headers.h"

#include <fmt/format.h>

namespace brook::protocol {

Result<RequestHeader> decode_request_header(Reader& in) {
  Reader ahead = in;
  const std::int16_t key = ahead.int16();
  const std::int16_t version = ahead.int16();
  const ApiInfo* api = find_api(key);
  if (!ahead.ok() || version < 0)
    return fail(ErrorCode::kInvalidRequest, fmt::format("request header: API {} version {}", key, version));
  if (api == nullptr)
    return fail(ErrorCode::kInvalidRequest, fmt::format("request header: no API has key {}", key));
  return RequestHeader::decode(in, request_header_version(*api, version));
}

void encode_response_header(Writer& out, const ApiInfo& api, std::int16_t version,
                            std::int32_t correlation_id) {
  out.int32(correlation_id);
  if (response_header_version(api, version) >= ResponseHeader::kFlexibleFrom) out.uvarint(0);
}

Result<void> encode_request_header(Writer& out, const RequestHeader& header) {
  const ApiInfo* api = find_api(header.request_api_key);
  if (api == nullptr)
    return fail(ErrorCode::kInvalidRequest, fmt::format("no API has key {}", header.request_api_key));
  return header.encode(out, request_header_version(*api, header.request_api_version));
}

Result<ResponseHeader> decode_response_header(Reader& in, const ApiInfo& api, std::int16_t version) {
  return ResponseHeader::decode(in, response_header_version(api, version));
}

}  // namespace brook::protocol
