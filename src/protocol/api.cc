#include "protocol/api.h"

#include <algorithm>

namespace brook::protocol {

const ApiInfo* find_api(std::int16_t key) {
  const auto table = apis();
  const auto at = std::ranges::lower_bound(table, static_cast<ApiKey>(key), {}, &ApiInfo::key);
  return at != table.end() && static_cast<std::int16_t>(at->key) == key ? &*at : nullptr;
}

const ApiInfo& api_info(ApiKey key) { return *find_api(static_cast<std::int16_t>(key)); }

std::string_view api_name(ApiKey key) {
  const ApiInfo* api = find_api(static_cast<std::int16_t>(key));
  return api == nullptr ? "Unknown" : api->name;
}

std::int16_t request_header_version(const ApiInfo& api, std::int16_t version) {
  return version >= api.flexible_from ? 2 : 1;
}

std::int16_t response_header_version(const ApiInfo& api, std::int16_t version) {
  return api.key != ApiKey::kApiVersions && version >= api.flexible_from ? 1 : 0;
}

}  // namespace brook::protocol
