#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/api_key.h"

namespace brook::protocol {

/// What the schemas and schemas/kafka/apis.tsv say of one API.
struct ApiInfo {
  ApiKey key;
  std::string_view name;     // "Produce"
  std::int16_t min_version;  // that has a schema: what decode takes
  std::int16_t max_version;
  std::int16_t flexible_from;   // 32767: never
  std::int16_t advertised_min;  // on the broker listener; 0 and -1 where it is not advertised
  std::int16_t advertised_max;
  bool on_broker_listener;
  bool needs_telemetry;  // advertised only with a telemetry receiver

  /// Produce is advertised from 0 but valid from 3 (KAFKA-18659); InitProducerId 6 is valid, but unstable and
  /// not advertised.
  [[nodiscard]] bool has_version(std::int16_t version) const {
    return min_version <= version && version <= max_version;
  }
  [[nodiscard]] bool is_advertised() const { return advertised_max >= 0; }
};

/// Every API, by ascending key.
std::span<const ApiInfo> apis();
/// Nothing for a key that no API has.
const ApiInfo* find_api(std::int16_t key);
/// The API of a key in the enumeration. Requires that `key` is one of its values.
const ApiInfo& api_info(ApiKey key);
/// "Produce"; "Unknown" for a key that no API has.
std::string_view api_name(ApiKey key);

/// The header version in front of a request: 2 from the first flexible version on, else 1. Any version may be
/// asked for.
std::int16_t request_header_version(const ApiInfo& api, std::int16_t version);
/// In front of a response: 1 from the first flexible version on, else 0; always 0 for ApiVersions (KIP-511).
std::int16_t response_header_version(const ApiInfo& api, std::int16_t version);

}  // namespace brook::protocol
