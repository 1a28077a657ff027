#include "broker/handler.h"

namespace brook::broker {

protocol::Writer begin_reply(const RequestContext& context) {
  protocol::Writer out(256);
  out.int32(0);
  protocol::encode_response_header(out, *context.api, context.version, context.correlation_id);
  return out;
}

void end_reply(protocol::Writer& out) {
  out.patch_int32(0, static_cast<std::int32_t>(out.total_size() - sizeof(std::int32_t)));
}

}  // namespace brook::broker
