#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace brook::coordinator {

/// The protocol type of groups whose members are consumers; the metadata of others is opaque.
inline constexpr std::string_view kConsumerProtocolType = "consumer";

/// The topics in a consumer's subscription, as it joins a classic group (ConsumerProtocolSubscription, all
/// versions). Nothing where the bytes are no subscription: custom assignors send what they like.
[[nodiscard]] std::optional<std::vector<std::string>> subscribed_topics(ByteView metadata);

}  // namespace brook::coordinator
