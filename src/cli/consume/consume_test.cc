#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/consume/place.h"
#include "cli/consume/record_format.h"

namespace brook::cli {
namespace {

client::ConsumedBatch batch_of(client::ConsumedRecord each) {
  client::ConsumedBatch batch{.partition = {"orders", PartitionIndex(3)},
                              .leader_epoch = std::nullopt,
                              .records = {},
                              .owner = nullptr};
  batch.records.push_back(std::move(each));
  return batch;
}

std::string formatted(std::string_view format, const client::ConsumedBatch& batch) {
  std::string text;
  RecordFormat::parse(format).value().append(text, batch, batch.records.front());
  return text;
}

TEST(RecordFormat, WritesEveryToken) {
  const client::ConsumedBatch batch =
      batch_of({.offset = Offset(42),
                .timestamp = Timestamp(1'795'746'181'254),
                .key = as_bytes("k"),
                .value = as_bytes("value"),
                .headers = {{as_bytes("a"), as_bytes("1")}, {as_bytes("b"), std::nullopt}}});

  EXPECT_EQ(formatted("%t/%p@%o %T %I %k=%v %s %K %S %h %%\\t\\x41\\n", batch),
            "orders/3@42 1795746181254 2026-11-27T02:23:01.254Z k=value value 1 5 a=1,b= %\tA\n");
}

TEST(RecordFormat, WritesNullAsNothingAndItsLengthAsMinusOne) {
  const client::ConsumedBatch batch = batch_of({.offset = Offset(0),
                                                .timestamp = Timestamp(-1),
                                                .key = std::nullopt,
                                                .value = std::nullopt,
                                                .headers = {}});

  EXPECT_EQ(formatted("[%k|%v|%K|%S|%h|%I]", batch), "[||-1|-1||-]");
}

TEST(RecordFormat, NamesTheTokenThatDoesNotExist) {
  const auto complaint = [](std::string_view format) { return RecordFormat::parse(format).error().context; };

  EXPECT_EQ(complaint("%q"), "there is no token '%q': %t %p %o %T %I %k %v %K %S %h and %% are");
  EXPECT_EQ(complaint("100%"), "a '%' ends the format; %% writes one");
  EXPECT_EQ(complaint("\\q"), "there is no escape '\\q'");
  EXPECT_EQ(complaint("\\x1"), "there is no escape '\\x'");
}

TEST(Place, IsWhatItsTextSays) {
  EXPECT_EQ(parse_place("beginning").value(), Place(Beginning{}));
  EXPECT_EQ(parse_place("end").value(), Place(End{}));
  EXPECT_EQ(parse_place("42").value(), Place(Offset(42)));
  EXPECT_EQ(parse_place("-10").value(), Place(BeforeEnd{10}));
  EXPECT_EQ(parse_place("-0").value(), Place(BeforeEnd{0}));
  EXPECT_EQ(parse_place("-15m").value(), Place(Ago{std::chrono::minutes(15)}));
  EXPECT_EQ(parse_place("@1795746181254").value(), Place(Timestamp(1'795'746'181'254)));
  EXPECT_EQ(parse_place("1970-01-02").value(), Place(Timestamp(86'400'000)));
  for (const char* text :
       {"", "start", "1.5", "@", "@-1", "-", "--1", "99999999999999999999", "1969-01-01"}) {
    EXPECT_FALSE(parse_place(text)) << text;
  }
}

}  // namespace
}  // namespace brook::cli
