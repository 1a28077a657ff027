#include "broker/share/log_batches.h"

#include <gtest/gtest.h>

#include <tuple>

#include "storage/testing/batches.h"

namespace brook::broker {
namespace {

using storage::AbortedTransaction;
using storage::testing::make_batch;
using storage::testing::make_marker;
using Seen = std::vector<std::tuple<std::int64_t, std::int64_t, bool>>;

Seen see(const std::vector<std::vector<std::byte>>& parts, const std::vector<AbortedTransaction>& aborted) {
  std::vector<std::byte> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  const LogBatches found = log_batches(all, aborted, Inspection{});
  Seen seen;
  for (const LogBatch& batch : found.batches)
    seen.emplace_back(batch.base.value(), batch.last.value(), batch.deliverable);
  return seen;
}

std::vector<std::byte> of_producer(std::int64_t base, std::int64_t producer, bool transactional = true) {
  return make_batch(
      {.base_offset = base, .timestamps = {1, 2}, .producer_id = producer, .transactional = transactional});
}

TEST(LogBatches, LeavesOutMarkersAndAbortedTransactions) {
  const std::vector<std::vector<std::byte>> log{
      of_producer(0, 7), of_producer(2, 8),          make_marker(4, 7, 0, false),
      of_producer(5, 7), make_marker(7, 8, 0, true), of_producer(8, 9, false),
  };
  const AbortedTransaction aborted{ProducerId(7), Offset(0), Offset(4), Offset(0)};

  EXPECT_EQ(see(log, {aborted}),
            (Seen{{0, 1, false}, {2, 3, true}, {4, 4, false}, {5, 6, true}, {7, 7, false}, {8, 9, true}}));
  EXPECT_EQ(see(log, {}),
            (Seen{{0, 1, true}, {2, 3, true}, {4, 4, false}, {5, 6, true}, {7, 7, false}, {8, 9, true}}));
}

TEST(LogBatches, SaysWhereEachWholeBatchEnds) {
  const auto first = make_batch({.base_offset = 3, .timestamps = {1}});
  auto bytes = first;
  const auto second = make_batch({.base_offset = 4, .timestamps = {1}});
  bytes.insert(bytes.end(), second.begin(), second.end() - 1);

  const LogBatches found = log_batches(bytes, {}, Inspection{});

  ASSERT_EQ(found.batches.size(), 1U);
  EXPECT_EQ(found.ends, std::vector{first.size()});
}

TEST(LogBatches, SaysWhyItEndsBeforeTheBytesDo) {
  auto bytes = make_batch({.base_offset = 3, .timestamps = {1}});
  const std::size_t sound = bytes.size();
  const auto second = make_batch({.base_offset = 4, .timestamps = {1}});
  bytes.insert(bytes.end(), second.begin(), second.end());
  constexpr std::size_t kMagic = 16;
  bytes[sound + kMagic] = std::byte{77};

  const LogBatches found = log_batches(bytes, {}, Inspection{});

  EXPECT_EQ(found.ends, std::vector{sound});
  EXPECT_TRUE(found.broken && found.broken->code == ErrorCode::kCorruptMessage);
}

}  // namespace
}  // namespace brook::broker
