#include "coordinator/topics_hash.h"

#include <string_view>

namespace brook::coordinator {
namespace {

/// FNV-1a.
class Fnv {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) add_byte(static_cast<unsigned char>(c));
    add_byte(0);
  }
  void add(std::int32_t number) {
    for (int shift = 0; shift < 32; shift += 8)
      add_byte(
          static_cast<unsigned char>(static_cast<std::uint32_t>(number) >> static_cast<unsigned>(shift)));
  }
  [[nodiscard]] std::int64_t value() const { return static_cast<std::int64_t>(hash_); }

 private:
  void add_byte(unsigned char byte) { hash_ = (hash_ ^ byte) * 1099511628211ULL; }
  std::uint64_t hash_ = 14695981039346656037ULL;
};

}  // namespace

std::int64_t topics_hash(const TopicNames& names, const ClusterFacts& facts) {
  Fnv hash;
  bool any = false;
  for (const std::string& name : names) {
    const auto topic = facts.topic(name);
    if (!topic) continue;
    any = true;
    hash.add(name);
    hash.add(topic->id.text());
    hash.add(topic->partitions);
  }
  return any ? hash.value() : 0;
}

std::set<TopicId> ids_of(const TopicNames& names, const ClusterFacts& facts) {
  std::set<TopicId> out;
  for (const std::string& name : names) {
    if (const auto topic = facts.topic(name)) out.insert(topic->id);
  }
  return out;
}

}  // namespace brook::coordinator
