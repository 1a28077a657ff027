#pragma once

#include <cstdint>

#include "base/result.h"
#include "protocol/api.h"
#include "protocol/reader.h"
#include "protocol/wire_headers.h"
#include "protocol/writer.h"

namespace brook::protocol {

/// Reads the header of a request and leaves `in` at its body. kInvalidRequest: malformed, or an API key that
/// no API has (its header's form is unknown); the connection is then closed, as Kafka does. The version may
/// be one that the API lacks: the caller answers that with kUnsupportedVersion (ApiVersions: in version 0,
/// with the full list).
Result<RequestHeader> decode_request_header(Reader& in);

/// Writes the header of the response to a request of that API and version.
void encode_response_header(Writer& out, const ApiInfo& api, std::int16_t version,
                            std::int32_t correlation_id);
/// For clients: the inverses.
Result<void> encode_request_header(Writer& out, const RequestHeader& header);
Result<ResponseHeader> decode_response_header(Reader& in, const ApiInfo& api, std::int16_t version);

}  // namespace brook::protocol
