#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <optional>
#include <string>
#include <vector>

#include "cli/produce/line_splitter.h"
#include "cli/produce/record_parser.h"
#include "cli/record_json.h"

namespace brook::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> lines_of(const std::vector<std::string>& pieces) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto take = [&] {
    while (const auto line = splitter.next()) lines.emplace_back(*line);
  };
  for (const std::string& piece : pieces) {
    splitter.feed(as_bytes(piece));
    take();
  }
  splitter.finish();
  take();
  return lines;
}

TEST(LineSplitter, JoinsLinesOverPieces) {
  EXPECT_THAT(lines_of({"one\ntw", "o\n", "", "\nthr", "ee"}), ElementsAre("one", "two", "", "three"));
  EXPECT_THAT(lines_of({"one\n"}), ElementsAre("one"));
  EXPECT_THAT(lines_of({}), ElementsAre());
}

TEST(RecordParser, SplitsAtTheFirstSeparator) {
  RecordParser parser{.topic = "t"};
  parser.key_separator = ":";
  parser.null_text = "NULL";
  parser.headers = {{"h", "1"}};

  const auto with_key = parser.parse("a:b:c").value();
  const auto without_key = parser.parse("plain").value();
  const auto tombstone = parser.parse("a:NULL").value();

  EXPECT_EQ(with_key.key, "a");
  EXPECT_EQ(with_key.value, "b:c");
  EXPECT_EQ(with_key.headers.at(0).value, "1");
  EXPECT_EQ(without_key.key, std::nullopt);
  EXPECT_EQ(without_key.value, "plain");
  EXPECT_EQ(tombstone.key, "a");
  EXPECT_EQ(tombstone.value, std::nullopt);
}

TEST(RecordParser, TakesPartitionAndKeyFromTheOptions) {
  RecordParser parser{.topic = "t"};
  parser.partition = PartitionIndex(2);
  parser.key = "all";
  parser.from_json = true;

  const auto record = parser.parse(R"({"partition":1,"value":"v"})").value();

  EXPECT_EQ(record.partition, PartitionIndex(2));
  EXPECT_EQ(record.key, "all");
}

TEST(RecordJson, WhatIsWrittenIsReadAgain) {
  client::ConsumedBatch batch{.partition = {"orders", PartitionIndex(3)},
                              .leader_epoch = std::nullopt,
                              .records = {},
                              .owner = nullptr};
  batch.records.push_back({.offset = Offset(7),
                           .timestamp = Timestamp(1'795'746'181'254),
                           .key = as_bytes("\xff"),
                           .value = std::nullopt,
                           .headers = {{as_bytes("a"), as_bytes("1")}, {as_bytes("b"), std::nullopt}}});

  const std::string line = boost::json::serialize(record_to_json(batch, batch.records.front()));
  const auto record = record_from_json(line, "copy").value();

  EXPECT_EQ(
      line,
      R"({"topic":"orders","partition":3,"offset":7,"timestamp":1795746181254,"timestamp_type":"CreateTime",)"
      R"("key":{"base64":"/w=="},"value":null,"headers":[{"key":"a","value":"1"},{"key":"b","value":null}]})");
  EXPECT_EQ(record.topic, "copy");
  EXPECT_EQ(record.partition, PartitionIndex(3));
  EXPECT_EQ(record.timestamp, Timestamp(1'795'746'181'254));
  EXPECT_EQ(record.key, "\xff");
  EXPECT_EQ(record.value, std::nullopt);
  ASSERT_EQ(record.headers.size(), 2U);
  EXPECT_EQ(record.headers[0].value, "1");
  EXPECT_EQ(record.headers[1].value, std::nullopt);
}

TEST(RecordJson, SaysWhatIsWrongWithALine) {
  const auto complaint = [](std::string_view line) { return record_from_json(line, "t").error().context; };

  EXPECT_THAT(complaint("hello"), HasSubstr("this is no JSON: "));
  EXPECT_EQ(complaint("[1]"), "a JSON object belongs here");
  EXPECT_EQ(complaint(R"({"vlaue":"x"})"),
            "\"vlaue\" is not known: partition, timestamp, key, value and headers are");
  EXPECT_EQ(complaint(R"({"value":1})"), "\"value\": a string, null or {\"base64\": \"…\"} belongs here");
  EXPECT_EQ(complaint(R"({"timestamp":"x"})"), "\"timestamp\": a whole number or null belongs here");
  EXPECT_EQ(complaint(R"({"partition":-1})"), "there is no partition -1");
  EXPECT_EQ(complaint(R"({"headers":{}})"), "\"headers\": an array belongs here");
  EXPECT_EQ(complaint(R"({"headers":[{"key":null}]})"), "\"headers\": a header's key is not null");
}

}  // namespace
}  // namespace brook::cli
