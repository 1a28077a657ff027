#include "coordinator/transaction_machine.h"

#include <gtest/gtest.h>

#include "coordinator/testing/transaction_driver.h"

namespace brook::coordinator {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::TransactionDriver;
using State = TransactionState;

constexpr auto kPerTransaction = TransactionProtocol::kEpochPerTransaction;
const TopicPartition kOrders0{"orders", PartitionIndex(0)};
const TopicPartition kOrders1{"orders", PartitionIndex(1)};

Producer with_epoch(const Producer& producer, int epoch) {
  return {producer.id, ProducerEpoch(static_cast<std::int16_t>(epoch))};
}

/// A producer whose epoch is `epoch`, after so many transactions.
Producer aged(TransactionDriver& driver, const std::string& id, int epoch) {
  Producer producer = *driver.init(id).producer;
  while (producer.epoch.value() < epoch) {
    producer = *driver.end(id, producer, false, kPerTransaction).producer;
    driver.complete(id);
  }
  return producer;
}

TEST(TransactionMachine, GivesANewIdEpochZeroAndTheNextCallerTheNextBlock) {
  TransactionDriver driver;
  const ProducerAnswer first = driver.init("t");
  EXPECT_EQ(first.code, ErrorCode::kNone);
  EXPECT_EQ(first.producer, (Producer{ProducerId(1000), ProducerEpoch(0)}));
  EXPECT_EQ(driver.init("t").producer, (Producer{ProducerId(1000), ProducerEpoch(64)}));
  EXPECT_EQ(driver.init("other").producer, (Producer{ProducerId(1001), ProducerEpoch(0)}));
}

TEST(TransactionMachine, ChecksTimeoutAndId) {
  TransactionDriver driver({.timeout_max_ms = 1000});
  EXPECT_EQ(driver.init("t", {}, 1001).code, ErrorCode::kInvalidTransactionTimeout);
  EXPECT_EQ(driver.init("t", {}, 0).code, ErrorCode::kInvalidTransactionTimeout);
  EXPECT_EQ(driver.init("", {}, 1000).code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(driver.init("t", {}, 1000).code, ErrorCode::kNone);
}

TEST(TransactionMachine, CommitsWhatAClientAdded) {
  TransactionDriver driver;
  const Producer producer = *driver.init("t").producer;
  EXPECT_EQ(driver.add("t", producer, {kOrders0}), ErrorCode::kNone);
  EXPECT_EQ(driver.at("t").state, State::kOngoing);
  EXPECT_EQ(driver.at("t").started, driver.now().wall);
  EXPECT_EQ(driver.add("t", producer, {kOrders1}), ErrorCode::kNone);
  EXPECT_EQ(driver.end("t", producer, true).code, ErrorCode::kNone);
  EXPECT_EQ(driver.at("t").state, State::kPrepareCommit);
  EXPECT_EQ(driver.at("t").partitions, (std::set{kOrders0, kOrders1}));
  EXPECT_EQ(driver.at("t").epoch, producer.epoch);
  driver.complete("t");
  EXPECT_EQ(driver.at("t").state, State::kCompleteCommit);
  EXPECT_TRUE(driver.at("t").partitions.empty());
  EXPECT_EQ(driver.add("t", producer, {kOrders0}), ErrorCode::kNone);
}

TEST(TransactionMachine, WritesNothingForPartitionsThatAreInItAlready) {
  TransactionDriver driver;
  const Producer producer = *driver.init("t").producer;
  std::ignore = driver.add("t", producer, {kOrders0, kOrders1});
  const std::size_t records = driver.log().size();
  EXPECT_EQ(driver.add("t", producer, {kOrders1}), ErrorCode::kNone);
  EXPECT_EQ(driver.log().size(), records);
}

TEST(TransactionMachine, RefusesWhoeverIsNotTheProducer) {
  TransactionDriver driver;
  const Producer zombie = *driver.init("t").producer;
  const Producer producer = *driver.init("t").producer;
  EXPECT_EQ(driver.add("t", zombie, {kOrders0}), ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.end("t", zombie, true).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.add("t", {ProducerId(1), producer.epoch}, {kOrders0}),
            ErrorCode::kInvalidProducerIdMapping);
  EXPECT_EQ(driver.add("unknown", producer, {kOrders0}), ErrorCode::kInvalidProducerIdMapping);
  EXPECT_EQ(driver.add("", producer, {kOrders0}), ErrorCode::kInvalidRequest);
  EXPECT_EQ(driver.end("t", with_epoch(producer, 9), true).code, ErrorCode::kProducerFenced);
}

TEST(TransactionMachine, MakesAllWaitWhileMarkersAreWritten) {
  TransactionDriver driver;
  const Producer producer = *driver.init("t").producer;
  std::ignore = driver.add("t", producer, {kOrders0});
  std::ignore = driver.end("t", producer, false);
  EXPECT_EQ(driver.add("t", producer, {kOrders0}), ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.init("t").code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.end("t", producer, false).code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.end("t", producer, true).code, ErrorCode::kInvalidTxnState);
  driver.complete("t");
  EXPECT_EQ(driver.end("t", producer, false).code, ErrorCode::kNone);
  EXPECT_EQ(driver.end("t", producer, true).code, ErrorCode::kInvalidTxnState);
}

TEST(TransactionMachine, EndsNothingWhereNothingBegan) {
  TransactionDriver driver;
  const Producer producer = *driver.init("t").producer;
  EXPECT_EQ(driver.end("t", producer, true).code, ErrorCode::kInvalidTxnState);
  EXPECT_EQ(driver.end("t", producer, false).code, ErrorCode::kInvalidTxnState);
}

TEST(TransactionMachine, FencesTheOldProducerAndAbortsItsTransaction) {
  TransactionDriver driver;
  const Producer old = *driver.init("t").producer;
  std::ignore = driver.add("t", old, {kOrders0});
  EXPECT_EQ(driver.init("t").code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.at("t").state, State::kPrepareAbort);
  EXPECT_EQ(driver.at("t").epoch, ProducerEpoch(1));
  EXPECT_EQ(driver.end("t", old, true).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.end("t", old, true, kPerTransaction).code, ErrorCode::kProducerFenced);
  driver.complete("t");
  EXPECT_EQ(driver.add("t", old, {kOrders0}), ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.end("t", old, true).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.end("t", old, true, kPerTransaction).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.init("t").producer, with_epoch(old, 64));
}

TEST(TransactionMachine, LetsAProducerAbortWhatTookTooLongAndGoOn) {
  TransactionDriver driver;
  const Producer slow = *driver.init("t", {}, 10000).producer;
  std::ignore = driver.add("t", slow, {kOrders0}, kPerTransaction);
  driver.pass(milliseconds(10001));
  driver.abort_timed_out();
  EXPECT_EQ(driver.end("t", slow, false, kPerTransaction).code, ErrorCode::kConcurrentTransactions);
  driver.complete("t");
  EXPECT_EQ(driver.add("t", slow, {kOrders0}, kPerTransaction), ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.end("t", slow, true, kPerTransaction).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.end("t", slow, false, kPerTransaction).producer, with_epoch(slow, 1));
  EXPECT_EQ(driver.add("t", with_epoch(slow, 1), {kOrders0}, kPerTransaction), ErrorCode::kNone);
}

TEST(TransactionMachine, LetsAProducerBeginAnewWhoseTransactionWasAborted) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  std::ignore = driver.add("t", first, {kOrders0});
  EXPECT_EQ(driver.init("t", first).code, ErrorCode::kConcurrentTransactions);
  driver.complete("t");
  EXPECT_EQ(driver.init("t", first).producer, with_epoch(first, 1));
  EXPECT_EQ(driver.end("t", first, false).code, ErrorCode::kProducerFenced);
}

TEST(TransactionMachine, FencesWhoWentOnAfterAnAbortWhenAnotherTakesTheId) {
  TransactionDriver driver;
  const Producer old = *driver.init("t").producer;
  std::ignore = driver.add("t", old, {kOrders0}, kPerTransaction);
  EXPECT_EQ(driver.init("t").code, ErrorCode::kConcurrentTransactions);
  driver.complete("t");
  const Producer again = *driver.end("t", old, false, kPerTransaction).producer;
  std::ignore = driver.add("t", again, {kOrders0}, kPerTransaction);
  EXPECT_EQ(driver.init("t").code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.end("t", again, true, kPerTransaction).code, ErrorCode::kProducerFenced);
  driver.complete("t");
  EXPECT_EQ(driver.init("t").producer, with_epoch(old, 64));
  for (const Producer& zombie : {old, again}) {
    EXPECT_EQ(driver.add("t", zombie, {kOrders0}, kPerTransaction), ErrorCode::kProducerFenced);
    EXPECT_EQ(driver.end("t", zombie, false, kPerTransaction).code, ErrorCode::kProducerFenced);
    EXPECT_EQ(driver.init("t", zombie).code, ErrorCode::kProducerFenced);
  }
}

TEST(TransactionMachine, TellsNobodyTheLastEpoch) {
  TransactionDriver driver;
  const Producer last = aged(driver, "t", 32766);
  std::ignore = driver.add("t", last, {kOrders0}, kPerTransaction);
  driver.pass(seconds(61));
  driver.abort_timed_out();
  EXPECT_EQ(driver.at("t").epoch, ProducerEpoch(32767));
  EXPECT_EQ(driver.end("t", last, false, kPerTransaction).code, ErrorCode::kProducerFenced);
  driver.complete("t");
  EXPECT_EQ(driver.end("t", last, false, kPerTransaction).code, ErrorCode::kProducerFenced);
  const ProducerAnswer next = driver.init("t", last);
  EXPECT_EQ(next.producer, (Producer{ProducerId(1001), ProducerEpoch(0)}));
  EXPECT_EQ(driver.init("t", last).producer, next.producer);  // A retry.
}

TEST(TransactionMachine, LetsAProducerGoOnAfterAnError) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  const ProducerAnswer second = driver.init("t", first);
  EXPECT_EQ(second.producer, with_epoch(first, 64));
  // The answer was lost: the same again.
  EXPECT_EQ(driver.init("t", first).producer, with_epoch(first, 64));
  EXPECT_EQ(driver.init("t", second.producer).producer, with_epoch(first, 128));
  EXPECT_EQ(driver.init("t", first).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.init("t", Producer{ProducerId(5), ProducerEpoch(0)}).code, ErrorCode::kProducerFenced);
}

TEST(TransactionMachine, FencesAProducerThatWantsToGoOnAfterAnotherTookItsId) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  std::ignore = driver.init("t");
  EXPECT_EQ(driver.init("t", first).code, ErrorCode::kProducerFenced);
}

TEST(TransactionMachine, ChangesTheProducerIdWhenItsEpochsAreUsedUp) {
  TransactionDriver driver;
  const Producer last = aged(driver, "t", 32766);
  const ProducerAnswer next = driver.init("t", last);
  EXPECT_EQ(next.producer, (Producer{ProducerId(1001), ProducerEpoch(0)}));
  EXPECT_EQ(driver.init("t", last).producer, next.producer);  // A retry.
}

TEST(TransactionMachine, ChangesTheProducerIdWhenNoBlockOfEpochsIsLeft) {
  TransactionDriver driver;
  const Producer early = aged(driver, "t", 32703);
  EXPECT_EQ(driver.init("t").producer, with_epoch(early, 32704));
  const Producer late = *driver.end("t", with_epoch(early, 32704), false, kPerTransaction).producer;
  driver.complete("t");
  EXPECT_EQ(late, with_epoch(early, 32705));
  const ProducerAnswer next = driver.init("t", late);
  EXPECT_EQ(next.producer, (Producer{ProducerId(1001), ProducerEpoch(0)}));
  EXPECT_EQ(driver.init("t", late).producer, next.producer);  // A retry.
}

TEST(TransactionMachine, GivesNoEpochTwiceWhenAPowerCutTookIt) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  const Producer second = *driver.end("t", first, false, kPerTransaction).producer;
  driver.complete("t");
  EXPECT_EQ(second, with_epoch(first, 1));
  driver.cut_power(10);
  EXPECT_EQ(driver.at("t").epoch, first.epoch);
  EXPECT_EQ(driver.add("t", second, {kOrders0}, kPerTransaction), ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.init("t").producer, with_epoch(first, 64));
  // Who was told of it stays the last one.
  driver.cut_power(10);
  EXPECT_EQ(driver.add("t", with_epoch(first, 64), {kOrders0}, kPerTransaction), ErrorCode::kNone);
}

TEST(TransactionMachine, AbortsAboveEveryEpochThatAPowerCutMayHaveTaken) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  std::ignore = driver.add("t", first, {kOrders0}, kPerTransaction);
  const Producer second = *driver.end("t", first, true, kPerTransaction).producer;
  driver.complete("t");
  std::ignore = driver.add("t", second, {kOrders0}, kPerTransaction);
  driver.cut_power(3);
  EXPECT_EQ(driver.at("t").state, State::kOngoing);
  EXPECT_EQ(driver.at("t").epoch, first.epoch);
  // orders-0 may have a transaction of any epoch up to 63, and 64 is nobody's.
  EXPECT_EQ(driver.init("t").code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.at("t").epoch, ProducerEpoch(65));
  driver.complete("t");
  for (const Producer& zombie : {first, second, with_epoch(first, 63)})
    EXPECT_EQ(driver.end("t", zombie, false, kPerTransaction).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.init("t").producer, with_epoch(first, 128));
}

TEST(TransactionMachine, AbortsWithTheLastEpochWhatAPowerCutLeftInTheLastBlock) {
  TransactionDriver driver;
  const Producer late = aged(driver, "t", 32710);
  std::ignore = driver.add("t", late, {kOrders0}, kPerTransaction);
  driver.cut_power(0);
  EXPECT_EQ(driver.init("t", late).code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.at("t").epoch, ProducerEpoch(32767));
  driver.complete("t");
  EXPECT_EQ(driver.end("t", with_epoch(late, 32766), false, kPerTransaction).code,
            ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.init("t", late).code, ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.init("t").producer, (Producer{ProducerId(1001), ProducerEpoch(0)}));
}

TEST(TransactionMachine, GivesANewEpochWithEachEnd) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  EXPECT_EQ(driver.add("t", first, {kOrders0}, kPerTransaction), ErrorCode::kNone);
  const ProducerAnswer ended = driver.end("t", first, true, kPerTransaction);
  EXPECT_EQ(ended.producer, with_epoch(first, 1));
  EXPECT_EQ(driver.at("t").state, State::kPrepareCommit);
  EXPECT_EQ(driver.end("t", first, true, kPerTransaction).code, ErrorCode::kConcurrentTransactions);
  driver.complete("t");
  // A retry is known by its epoch.
  EXPECT_EQ(driver.end("t", first, true, kPerTransaction).producer, with_epoch(first, 1));
  EXPECT_EQ(driver.end("t", first, false, kPerTransaction).code, ErrorCode::kInvalidTxnState);
  EXPECT_EQ(driver.add("t", first, {kOrders0}, kPerTransaction), ErrorCode::kProducerFenced);
  EXPECT_EQ(driver.end("t", *ended.producer, true, kPerTransaction).code, ErrorCode::kInvalidTxnState);
}

TEST(TransactionMachine, LetsTheNextEndWaitForTheMarkersOfTheOneBefore) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  EXPECT_EQ(driver.add("t", first, {kOrders0}, kPerTransaction), ErrorCode::kNone);
  const Producer second = *driver.end("t", first, true, kPerTransaction).producer;
  EXPECT_EQ(driver.end("t", second, false, kPerTransaction).code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.end("t", second, true, kPerTransaction).code, ErrorCode::kConcurrentTransactions);
  driver.complete("t");
  EXPECT_EQ(driver.end("t", second, false, kPerTransaction).producer, with_epoch(first, 2));
}

TEST(TransactionMachine, TakesNoFencedProducerForOneWhoseAnswerWasLost) {
  TransactionDriver driver;
  const Producer fenced = aged(driver, "t", 63);
  const Producer producer = *driver.init("t").producer;
  EXPECT_EQ(producer, with_epoch(fenced, 64));
  EXPECT_EQ(driver.add("t", producer, {kOrders0}), ErrorCode::kNone);
  EXPECT_EQ(driver.end("t", producer, true).code, ErrorCode::kNone);
  driver.complete("t");
  const ProducerAnswer answer = driver.end("t", fenced, true, kPerTransaction);
  EXPECT_EQ(answer.code, ErrorCode::kProducerFenced);
  EXPECT_FALSE(answer.producer);
}

TEST(TransactionMachine, AbortsATransactionThatNeverBeganWithANewEpoch) {
  TransactionDriver driver;
  const Producer first = *driver.init("t").producer;
  const ProducerAnswer empty = driver.end("t", first, false, kPerTransaction);
  EXPECT_EQ(empty.producer, with_epoch(first, 1));
  EXPECT_EQ(driver.at("t").started, driver.now().wall);
  driver.complete("t");
  EXPECT_EQ(driver.at("t").state, State::kCompleteAbort);
  EXPECT_EQ(driver.end("t", *empty.producer, false, kPerTransaction).producer, with_epoch(first, 2));
}

TEST(TransactionMachine, ChangesTheProducerIdWhenAnEndUsesTheLastEpoch) {
  TransactionDriver driver;
  const Producer last = aged(driver, "t", 32766);
  std::ignore = driver.add("t", last, {kOrders0}, kPerTransaction);
  const ProducerAnswer ended = driver.end("t", last, true, kPerTransaction);
  EXPECT_EQ(ended.producer, (Producer{ProducerId(1001), ProducerEpoch(0)}));
  EXPECT_EQ(driver.at("t").producer_id, last.id);  // The markers are still of the old one.
  EXPECT_EQ(driver.at("t").epoch, ProducerEpoch(32767));
  // The client knows the new one already, and waits.
  const Producer next = *ended.producer;
  EXPECT_EQ(driver.add("t", next, {kOrders0}, kPerTransaction), ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.machine().verify({"t", next, {kOrders0}}),
            std::vector{ErrorCode::kConcurrentTransactions});
  EXPECT_EQ(driver.end("t", next, false, kPerTransaction).code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.init("t", next).code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(driver.add("t", {ProducerId(1002), ProducerEpoch(0)}, {kOrders0}, kPerTransaction),
            ErrorCode::kInvalidProducerIdMapping);
  driver.complete("t");
  EXPECT_EQ(driver.at("t").producer_id, ProducerId(1001));
  EXPECT_EQ(driver.at("t").epoch, ProducerEpoch(0));
  EXPECT_EQ(driver.end("t", last, true, kPerTransaction).producer, ended.producer);  // A retry.
  EXPECT_EQ(driver.add("t", next, {kOrders0}, kPerTransaction), ErrorCode::kNone);
}

TEST(TransactionMachine, VerifiesEachPartition) {
  TransactionDriver driver;
  const Producer producer = *driver.init("t").producer;
  const auto verify = [&](const Producer& who) {
    return driver.machine().verify({"t", who, {kOrders0, kOrders1}});
  };
  EXPECT_EQ(verify(producer),
            (std::vector{ErrorCode::kTransactionAbortable, ErrorCode::kTransactionAbortable}));
  std::ignore = driver.add("t", producer, {kOrders1});
  EXPECT_EQ(verify(producer), (std::vector{ErrorCode::kTransactionAbortable, ErrorCode::kNone}));
  EXPECT_EQ(verify(with_epoch(producer, 4)).at(1), ErrorCode::kProducerFenced);
  std::ignore = driver.end("t", producer, true);
  EXPECT_EQ(verify(producer).at(1), ErrorCode::kConcurrentTransactions);
}

TEST(TransactionMachine, AbortsWhatIsOpenForLongerThanItsTimeout) {
  TransactionDriver driver;
  const Producer slow = *driver.init("slow", {}, 10000).producer;
  const Producer quick = *driver.init("quick", {}, 60000).producer;
  std::ignore = driver.add("slow", slow, {kOrders0});
  std::ignore = driver.add("quick", quick, {kOrders0});
  driver.pass(seconds(10));
  driver.abort_timed_out();
  EXPECT_EQ(driver.at("slow").state, State::kOngoing);
  driver.pass(milliseconds(1));
  driver.abort_timed_out();
  EXPECT_EQ(driver.at("slow").state, State::kPrepareAbort);
  EXPECT_EQ(driver.at("slow").partitions, std::set{kOrders0});
  EXPECT_EQ(driver.at("quick").state, State::kOngoing);
  driver.complete("slow");
  EXPECT_EQ(driver.add("slow", slow, {kOrders0}), ErrorCode::kProducerFenced);
}

TEST(TransactionMachine, ForgetsIdsThatNobodyUsesAndKeepsOpenOnes) {
  TransactionDriver driver({.id_expiration = hours(1)});
  std::ignore = driver.init("a");
  const Producer open = *driver.init("b").producer;
  std::ignore = driver.add("b", open, {kOrders0});
  std::ignore = driver.init("c");
  driver.pass(hours(1));
  std::ignore = driver.init("d");
  driver.expire();
  EXPECT_EQ(driver.machine().find("a"), nullptr);
  EXPECT_NE(driver.machine().find("b"), nullptr);
  EXPECT_EQ(driver.machine().find("c"), nullptr);
  EXPECT_NE(driver.machine().find("d"), nullptr);
}

TEST(TransactionMachine, ListsByStateProducerAndDuration) {
  TransactionDriver driver;
  const Producer one = *driver.init("one").producer;
  const Producer two = *driver.init("two").producer;
  std::ignore = driver.add("two", two, {kOrders1, kOrders0});
  driver.pass(seconds(5));
  const auto ids = [&](protocol::ListTransactionsRequest request) {
    std::vector<std::string> out;
    for (const auto& listed : driver.machine().list(request, driver.now()))
      out.push_back(listed.transactional_id + " " + listed.transaction_state);
    return out;
  };
  EXPECT_EQ(ids({}), (std::vector<std::string>{"one Empty", "two Ongoing"}));
  EXPECT_EQ(ids({.state_filters = {"Ongoing"}}), std::vector<std::string>{"two Ongoing"});
  EXPECT_EQ(ids({.producer_id_filters = {one.id.value()}}), std::vector<std::string>{"one Empty"});
  EXPECT_EQ(ids({.state_filters = {"Ongoing"}, .duration_filter = 4999}),
            std::vector<std::string>{"two Ongoing"});
  EXPECT_TRUE(ids({.state_filters = {"Ongoing"}, .duration_filter = 5000}).empty());
}

TEST(TransactionMachine, DescribesATransaction) {
  TransactionDriver driver;
  const Producer producer = *driver.init("t").producer;
  std::ignore = driver.add("t", producer, {kOrders0, kOrders1, {"bills", PartitionIndex(3)}});
  const auto described = driver.machine().describe("t");
  EXPECT_EQ(described.transaction_state, "Ongoing");
  EXPECT_EQ(described.producer_id, 1000);
  EXPECT_EQ(described.transaction_start_time_ms, driver.now().wall.value());
  ASSERT_EQ(described.topics.size(), 2U);
  EXPECT_EQ(described.topics[0].topic, "bills");
  EXPECT_EQ(described.topics[1].partitions, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(driver.machine().describe("x").error_code,
            static_cast<std::int16_t>(ErrorCode::kTransactionalIdNotFound));
}

}  // namespace
}  // namespace brook::coordinator
