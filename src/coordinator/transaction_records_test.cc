#include "coordinator/transaction_records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace brook::coordinator {
namespace {

protocol::Bytes raw(const std::vector<int>& values) {
  protocol::Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

Transaction transaction() {
  Transaction out;
  out.producer_id = ProducerId(4000);
  out.previous_producer_id = ProducerId(3999);
  out.epoch = ProducerEpoch(7);
  out.timeout_ms = 60000;
  out.updated = Timestamp(1700000000000);
  return out;
}

TEST(TransactionRecords, AreApacheKafkasBytes) {
  Transaction one = transaction();
  one.state = TransactionState::kOngoing;
  one.partitions = {{"a", PartitionIndex(1)}, {"a", PartitionIndex(2)}};
  one.started = Timestamp(1700000000000);
  one.protocol = TransactionProtocol::kEpochPerTransaction;
  const EncodedRecord encoded = encode(TransactionRecord{"t1", one});
  EXPECT_EQ(encoded.key, raw({0, 0, 0, 2, 't', '1'}));
  EXPECT_EQ(encoded.value, raw({0, 1,                                      // the value's version
                                0, 0, 0,    0,    0,    0,    0x0F, 0xA0,  // producer id
                                0, 7,                                      // epoch
                                0, 0, 0xEA, 0x60,                          // time-out
                                1,                                         // Ongoing
                                2, 2, 'a',  3,    0,    0,    0,    1,    0,    0,    0, 2, 0,  // a: 1, 2
                                0, 0, 1,    0x8B, 0xCF, 0xE5, 0x68, 0,                          // updated
                                0, 0, 1,    0x8B, 0xCF, 0xE5, 0x68, 0,                          // started
                                2,                                                     // tagged fields
                                0, 8, 0,    0,    0,    0,    0,    0,    0x0F, 0x9F,  // previous producer id
                                2, 2, 0,    2}));                                      // transaction.version
}

TEST(TransactionRecords, HaveNoPartitionsWhereThereIsNoTransaction) {
  const EncodedRecord encoded = encode(TransactionRecord{"t1", transaction()});
  ASSERT_TRUE(encoded.value);
  // Behind version, producer, epoch, time-out and state: null.
  EXPECT_EQ(encoded.value->at(17), std::byte{0});
}

TEST(TransactionRecords, ComeBackAsTheyWere) {
  Transaction one = transaction();
  one.state = TransactionState::kPrepareAbort;
  one.partitions = {{"a", PartitionIndex(1)}, {"b", PartitionIndex(0)}};
  one.started = Timestamp(1699999999999);
  one.next_producer_id = ProducerId(4001);
  one.loaded = true;
  const TransactionRecord record{"some id", one};
  const auto decoded = decode_transaction_record(encode(record));
  ASSERT_TRUE(decoded && *decoded);
  EXPECT_EQ(**decoded, record);

  const TransactionRecord tombstone{"some id", {}};
  EXPECT_FALSE(encode(tombstone).value);
  EXPECT_EQ(*decode_transaction_record(encode(tombstone)), tombstone);
}

TEST(TransactionRecords, ReadWhatOlderBrokersWrote) {
  EncodedRecord old;
  old.key = raw({0, 0, 0, 2, 't', '1'});
  old.value = raw({0,    0,    0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 0, 0, 0x27, 0x10, 4, 0xFF, 0xFF,
                   0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0,    0,    0, 4});
  const auto decoded = decode_transaction_record(old);
  ASSERT_TRUE(decoded && *decoded && (*decoded)->transaction);
  const Transaction& one = *(*decoded)->transaction;
  EXPECT_EQ(one.producer_id, ProducerId(9));
  EXPECT_EQ(one.state, TransactionState::kCompleteCommit);
  EXPECT_EQ(one.timeout_ms, 10000);
  EXPECT_FALSE(one.previous_producer_id);
}

TEST(TransactionRecords, PassOverTypesOfLaterBrokersAndRefuseWhatIsNone) {
  const auto later = decode_transaction_record({raw({0, 9, 1}), raw({0, 0})});
  ASSERT_TRUE(later);
  EXPECT_FALSE(*later);

  EXPECT_FALSE(decode_transaction_record({raw({0}), {}}));
  EXPECT_FALSE(decode_transaction_record({raw({0, 0, 0, 9, 't'}), {}}));
  EncodedRecord strange = encode(TransactionRecord{"t1", transaction()});
  strange.value->at(16) = std::byte{6};  // Dead
  EXPECT_FALSE(decode_transaction_record(strange));
}

}  // namespace
}  // namespace brook::coordinator
