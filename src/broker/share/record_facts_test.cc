#include "broker/share/record_facts.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "record/builder.h"

namespace brook::broker {
namespace {

using runtime::Instant;
using std::chrono::milliseconds;

constexpr Instant kNow{std::chrono::hours(1)};
constexpr Timestamp kWallNow{1'000'000};

struct Written {
  std::optional<std::string> key{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

InspectedBatch look(const std::vector<Written>& records, record::Codec codec = record::Codec::kNone) {
  record::BatchOptions options;
  options.compression.codec = codec;
  options.base_offset = Offset(40);
  record::BatchBuilder builder(options);
  for (const Written& one : records) {
    std::vector<record::HeaderView> headers;
    for (const auto& [name, value] : one.headers) headers.push_back({as_bytes(name), as_bytes(value)});
    builder.append(Timestamp(0), one.key ? std::optional(as_bytes(*one.key)) : std::nullopt, std::nullopt,
                   headers);
  }
  const record::Bytes bytes = builder.finish();
  return inspect(record::BatchView::parse(bytes).value(),
                 {.keys = true, .times = true, .now = kNow, .wall_now = kWallNow})
      .value();
}

TEST(RecordFacts, TellEqualKeysAlsoWhereTheyAreCompressed) {
  const InspectedBatch found = look({{"a"}, {"b"}, {"a"}, {}}, record::Codec::kZstd);

  ASSERT_EQ(found.records.size(), 4U);
  EXPECT_EQ(found.records[2].offset, Offset(42));
  EXPECT_EQ(found.records[0].key, found.records[2].key);
  EXPECT_NE(found.records[0].key, found.records[1].key);
  EXPECT_EQ(found.records[3].key, std::nullopt);
}

TEST(RecordFacts, TellTimesOnTheMonotonicClock) {
  const InspectedBatch found =
      look({{.headers = {{"share.not.before.ms", "1000250"}, {"share.not.after.ms", "999000"}}}});

  EXPECT_EQ(found.records.at(0).not_before, kNow + milliseconds(250));
  EXPECT_EQ(found.records.at(0).expires, kNow - milliseconds(1000));
  EXPECT_EQ(found.bad_headers, 0);
}

TEST(RecordFacts, PassOverHeadersThatSayNoTime) {
  const InspectedBatch found = look({{.headers = {{"share.not.before.ms", "soon"},
                                                  {"share.not.after.ms", ""},
                                                  {"share.not.after.ms", "-5"},
                                                  {"share.not.before.ms", "12 "},
                                                  {"another", "soon"}}}});

  EXPECT_EQ(found.records.at(0).not_before, Instant{});
  EXPECT_EQ(found.records.at(0).expires, std::nullopt);
  EXPECT_EQ(found.bad_headers, 4);
}

TEST(RecordFacts, ReachAsFarAsAClockDoes) {
  const InspectedBatch found = look({{.headers = {{"share.not.before.ms", "9223372036854775807"}}}});

  EXPECT_GT(found.records.at(0).not_before, kNow + std::chrono::hours(24 * 365 * 99));
}

}  // namespace
}  // namespace brook::broker
