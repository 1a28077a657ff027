#include "coordinator/topic_regex.h"

#include <fmt/core.h>
#include <re2/re2.h>

namespace brook::coordinator {
namespace {

/// What one expression may take while it is compiled and matched: 20 times what a long list of names needs.
constexpr std::int64_t kRegexBytes = std::int64_t{4} << 20U;

RE2::Options options() {
  RE2::Options out;
  out.set_log_errors(false);
  out.set_max_mem(kRegexBytes);
  return out;
}

}  // namespace

Result<void> check_topic_regex(const std::string& regex) {
  const RE2 compiled(regex, options());
  if (compiled.ok()) return {};
  return fail(ErrorCode::kInvalidRegularExpression,
              fmt::format("SubscribedTopicRegex `{}` is not a valid regular expression: {}.", regex,
                          compiled.error()));
}

std::set<std::string, std::less<>> topics_matching(const std::string& regex, const ClusterFacts& facts) {
  std::set<std::string, std::less<>> out;
  const RE2 compiled(regex, options());
  if (!compiled.ok()) return out;
  facts.for_each_topic([&](const TopicFacts& topic) {
    const re2::StringPiece name(topic.name.data(), topic.name.size());
    if (RE2::FullMatch(name, compiled)) out.emplace(topic.name);
  });
  return out;
}

}  // namespace brook::coordinator
