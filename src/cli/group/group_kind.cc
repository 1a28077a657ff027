#include "cli/group/group_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "client/group_admin.h"

namespace brook::cli {
namespace {

/// "Share" where brokers say so, "share" where it is spoken of.
std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
  return text;
}

}  // namespace

Task<Result<void>> check_kind(client::Client& client, std::string group, GroupKind kind,
                              std::string_view verb) {
  client::GroupAdmin admin(client);
  BROOK_CO_TRY(const auto listed, co_await admin.list());
  const auto found = std::ranges::find(listed, group, &client::ListedGroup::id);
  if (found == listed.end()) co_return Result<void>();
  const std::string type = lower_case(found->type);
  if (type == "streams")
    co_return fail(
        ErrorCode::kGroupIdNotFound,
        fmt::format("{} is a streams group: Apache Kafka's kafka-streams-groups.sh is for these", group));
  const bool is_share = type == "share";
  if (type.empty() || is_share == (kind == GroupKind::kShare)) co_return Result<void>();
  co_return fail(ErrorCode::kGroupIdNotFound, fmt::format("{0} is a {1} group: `brook {2} {3} {0}`", group,
                                                          type, is_share ? "share" : "group", verb));
}

}  // namespace brook::cli
