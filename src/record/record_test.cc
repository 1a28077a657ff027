#include "record/record.h"

#include <gtest/gtest.h>

#include <utility>

#include "record/batch.h"
#include "record/testing/golden.h"

namespace brook::record {
namespace {

// One good record: size 10, attributes, timestamp delta 2, offset delta 1, key "k", null value, header "h"
// null.
const Bytes kRecord = golden::bytes(
    "1400040202"
    "6b"
    "01"
    "02"
    "0268"
    "01");

Result<std::optional<RecordView>> only(ByteView bytes) { return RecordIterator(bytes, 1).next(); }

ErrorCode code_of(ByteView bytes) {
  const auto record = only(bytes);
  return record ? ErrorCode::kNone : record.error().code;
}

TEST(RecordIterator, ReadsTheRecordsThatKafkaWrote) {
  const Bytes bytes = golden::bytes(golden::kNone);
  const auto batch = BatchView::parse(bytes);
  RecordIterator records(batch->records(), batch->record_count());

  const auto first = records.next();
  const auto second = records.next();
  const auto third = records.next();
  const auto end = records.next();

  ASSERT_TRUE(first && *first && second && *second && third && *third && end);
  EXPECT_EQ(as_chars(*(*first)->key), "key");
  EXPECT_EQ(as_chars(*(*first)->value), "value");
  const auto headers = (*first)->headers();
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(as_chars(headers[0].key), "h");
  EXPECT_EQ(as_chars(*headers[0].value), "x");
  EXPECT_EQ(as_chars(headers[1].key), "n");
  EXPECT_FALSE(headers[1].value);
  EXPECT_FALSE((*second)->key);
  EXPECT_TRUE((*second)->value->empty());
  EXPECT_EQ((*second)->timestamp_delta, 5);
  EXPECT_EQ((*second)->offset_delta, 1);
  EXPECT_EQ(as_chars(*(*third)->key), "k0");
  EXPECT_FALSE((*third)->value);
  EXPECT_EQ((*third)->timestamp_delta, 3);
  EXPECT_FALSE(*end);
}

TEST(RecordIterator, AcceptsTheRecordThatTheOthersBreak) {
  const auto record = only(kRecord);

  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->size_in_bytes, kRecord.size());
  EXPECT_EQ((*record)->timestamp_delta, 2);
  EXPECT_EQ((*record)->offset_delta, 1);
  EXPECT_EQ((*record)->headers().size(), 1U);
}

TEST(RecordIterator, RefusesARecordCutOffAtAnyByte) {
  for (std::size_t size = 0; size < kRecord.size(); ++size) {
    const Bytes part(kRecord.begin(), kRecord.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(code_of(part), ErrorCode::kInvalidRecord) << size;
  }
}

TEST(RecordIterator, RefusesLengthsThatDoNotFitTheRecord) {
  const std::pair<std::string_view, std::string_view> broken[] = {
      {"1200040202"
       "6b"
       "01"
       "02"
       "0268"
       "01",
       "size one too small"},
      {"1600040202"
       "6b"
       "01"
       "02"
       "0268"
       "01"
       "00",
       "size one too large, and the byte is there"},
      {"1400040210"
       "6b"
       "01"
       "00"
       "000000",
       "key beyond the record"},
      {"1400040202"
       "6b"
       "10"
       "00"
       "000000",
       "value beyond the record"},
      {"0e00040202"
       "6b"
       "01"
       "01",
       "negative header count"},
      {"0e00040202"
       "6b"
       "01"
       "04",
       "more headers than there are bytes"},
      {"1200040202"
       "6b"
       "01"
       "02"
       "01"
       "01",
       "null header key"},
      {"1400040202"
       "6b"
       "01"
       "02"
       "1068"
       "01",
       "header key beyond the record"},
      {"1400040202"
       "6b"
       "01"
       "02"
       "0268"
       "02",
       "header value beyond the record"},
      {"0100040202"
       "6b"
       "01"
       "00",
       "negative size"},
      {"ffffffff1f00", "a length of 33 bits"},
      {"8080808080800000", "a length that never ends"},
  };

  for (const auto& [hex, what] : broken)
    EXPECT_EQ(code_of(golden::bytes(hex)), ErrorCode::kInvalidRecord) << what;
}

TEST(RecordIterator, RefusesWhatIsLeftBehindTheLastRecord) {
  Bytes bytes = kRecord;
  bytes.push_back(std::byte{0});
  RecordIterator records(bytes, 1);

  EXPECT_TRUE(records.next());
  const auto end = records.next();

  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().context, "1 bytes are left behind the batch's 1 records");
}

TEST(RecordIterator, NamesTheIndexOfTheBrokenRecord) {
  Bytes bytes = kRecord;
  bytes.push_back(std::byte{1});
  RecordIterator records(bytes, 7);

  EXPECT_TRUE(records.next());
  const auto second = records.next();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().context, "record 1 of 7 has a negative size");
}

TEST(RecordIterator, RefusesANegativeCount) { EXPECT_FALSE(RecordIterator({}, -1).next()); }

}  // namespace
}  // namespace brook::record
