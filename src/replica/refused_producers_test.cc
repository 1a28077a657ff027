#include "replica/refused_producers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace brook::replica {
namespace {

constexpr ProducerId kProducer(7);
constexpr ProducerEpoch kEpoch(3);
constexpr ProducerEpoch kNextEpoch(4);

TopicIdPartition partition(std::int32_t index) { return {TopicId(), PartitionIndex(index)}; }

class RefusedProducersTest : public ::testing::Test {
 protected:
  bool waits(std::int32_t sequence, ProducerEpoch epoch = kEpoch) {
    return refused_.comes_behind(partition(0), kProducer, epoch, sequence, now_);
  }
  void refuse(std::int32_t sequence, ProducerEpoch epoch = kEpoch) {
    refused_.note(partition(0), kProducer, epoch, sequence, now_);
  }

  runtime::Instant now_{};
  RefusedProducers refused_;
};

TEST_F(RefusedProducersTest, WhatComesBehindARefusedBatchWaitsForIt) {
  refuse(10);
  EXPECT_TRUE(waits(15));
  EXPECT_FALSE(waits(10)) << "the refused one itself";
  EXPECT_FALSE(waits(5)) << "one before it, sent again";
  EXPECT_FALSE(refused_.comes_behind(partition(1), kProducer, kEpoch, 15, now_));
  EXPECT_FALSE(refused_.comes_behind(partition(0), ProducerId(8), kEpoch, 15, now_));
  refused_.decided(partition(0), kProducer, 15);
  EXPECT_TRUE(waits(15)) << "another was decided on";
  refused_.decided(partition(0), kProducer, 10);
  EXPECT_FALSE(waits(15));
  EXPECT_TRUE(refused_.empty());
}

TEST_F(RefusedProducersTest, TheFirstOfSeveralIsWaitedFor) {
  refuse(10);
  refuse(15);
  refuse(5);
  EXPECT_TRUE(waits(10));
  EXPECT_FALSE(waits(5));
}

TEST_F(RefusedProducersTest, SequencesGoRound) {
  refuse(std::numeric_limits<std::int32_t>::max());
  EXPECT_TRUE(waits(0));
  EXPECT_TRUE(waits(4));
  EXPECT_FALSE(waits(std::numeric_limits<std::int32_t>::max() - 3));
}

TEST_F(RefusedProducersTest, ANewEpochBeginsAnew) {
  refuse(10);
  EXPECT_FALSE(waits(15, kNextEpoch));
  EXPECT_FALSE(waits(15)) << "nothing is kept of the older epoch";
  refuse(4, kNextEpoch);
  refuse(1);
  EXPECT_TRUE(waits(6, kNextEpoch)) << "a late batch of an older epoch changes nothing";
}

TEST_F(RefusedProducersTest, AClientThatGaveUpHoldsNothingBackForEver) {
  refuse(10);
  now_ += std::chrono::minutes(2);
  EXPECT_FALSE(waits(15));
}

TEST_F(RefusedProducersTest, ItsMemoryHasABound) {
  for (std::int64_t id = 0; id < 20'000; ++id) refused_.note(partition(0), ProducerId(id), kEpoch, 0, now_);
  EXPECT_TRUE(refused_.comes_behind(partition(0), ProducerId(9'999), kEpoch, 1, now_));
  EXPECT_FALSE(refused_.comes_behind(partition(0), ProducerId(10'000), kEpoch, 1, now_));
  now_ += std::chrono::minutes(1);
  refused_.decided(partition(0), ProducerId(5), 0);
  refused_.note(partition(0), ProducerId(20'000), kEpoch, 0, now_);
  EXPECT_TRUE(refused_.comes_behind(partition(0), ProducerId(20'000), kEpoch, 1, now_));
  now_ += std::chrono::minutes(1);
  refused_.note(partition(0), ProducerId(10'000), kEpoch, 0, now_);
  EXPECT_TRUE(refused_.comes_behind(partition(0), ProducerId(10'000), kEpoch, 1, now_));
  EXPECT_TRUE(refused_.comes_behind(partition(0), ProducerId(20'000), kEpoch, 1, now_)) << "not given up yet";
}

}  // namespace
}  // namespace brook::replica
