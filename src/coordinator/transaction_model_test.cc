// Random clients against the state machine of transactions, with what must hold whatever they do.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/testing/transaction_driver.h"

namespace brook::coordinator {
namespace {

using std::chrono::seconds;
using testing::TransactionDriver;
using State = TransactionState;

constexpr std::size_t kClients = 4;
constexpr std::int32_t kTimeoutMs = 30000;

/// A client, which believes what its answers said, where they came; two share each transactional id.
struct Client {
  std::string id;
  TransactionProtocol protocol = TransactionProtocol::kEpochPerProducer;
  std::optional<Producer> producer{};
  std::set<TopicPartition> added{};  ///< since its transaction began
};

class World {
 public:
  explicit World(bool aged) {
    clients_ = {Client{"a"}, Client{"a", TransactionProtocol::kEpochPerTransaction}, Client{"b"},
                Client{"b", TransactionProtocol::kEpochPerTransaction}};
    if (aged) age(clients_.at(3));
  }

  void step(int action, std::size_t which, int detail) {
    Client& client = clients_.at(which);
    answer_lost_ = detail % 7 == 0;
    std::map<std::string, Transaction> before;
    for (const std::string id : {"a", "b"}) {
      if (const Transaction* one = machine().find(id)) before.emplace(id, *one);
    }
    switch (action) {
      case 0:
        init(client, {});
        break;
      case 1:
        if (client.producer) init(client, client.producer);
        break;
      case 2:
        if (client.producer) add(client, detail);
        break;
      case 3:
        if (client.producer) end(client, detail % 2 == 0);
        break;
      case 4:
        complete(client.id);
        break;
      case 5:
        driver_.pass(seconds(detail));
        driver_.abort_timed_out();
        break;
      case 6:
        driver_.log_refuses = detail % 3 == 0;
        break;
      case 7:
        // A stranger's guess, at what nobody was told.
        if (const Producer guess{ProducerId(1000), ProducerEpoch(static_cast<std::int16_t>(detail))};
            !told_.contains(guess)) {
          std::ignore = driver_.end(client.id, guess, true, client.protocol);
        }
        break;
      case 8:
        cut_power(static_cast<std::size_t>(detail));
        break;
      default:
        break;
    }
    if (action == 8) {
      ended_.clear();
    } else {
      note_ends(before);
    }
    check();
  }

  void end_and_check_replay() {
    TransactionConfig config;
    TransactionMachine fresh(config);
    for (const TransactionRecord& record : driver_.log()) {
      const auto decoded = TransactionMachine::decode(encode(record));
      RC_ASSERT(decoded.has_value() && decoded->has_value());
      fresh.replay(**decoded);
    }
    for (const char* id : {"a", "b"}) {
      const Transaction* live = driver_.machine().find(id);
      const Transaction* again = fresh.find(id);
      RC_ASSERT((live == nullptr) == (again == nullptr));
      if (live == nullptr) continue;
      Transaction expected = *live;
      expected.last_epoch.reset();  // The log has neither.
      expected.loaded = true;
      RC_ASSERT(*again == expected);
    }
    RC_ASSERT(fresh.open() == driver_.machine().open());
    RC_ASSERT(fresh.count_by_state() == driver_.machine().count_by_state());
  }

 private:
  /// A transaction that ended: whose it was, and how.
  struct Ended {
    Producer producer;
    bool committed = false;

    friend bool operator==(const Ended&, const Ended&) = default;
  };

  /// What a partition knows of a producer id.
  struct Known {
    ProducerEpoch epoch;
    bool open = false;
  };

  /// Leaves few epochs of its producer id.
  void age(Client& client) {
    while (!client.producer || client.producer->epoch < ProducerEpoch(32704)) init(client, {});
    while (client.producer->epoch < ProducerEpoch(32765)) {
      end(client, false);
      complete(client.id);
    }
  }

  void note_ends(const std::map<std::string, Transaction>& before) {
    for (const auto& [id, was] : before) {
      const Transaction* now = machine().find(id);
      if (now == nullptr || !now->prepared() || was.prepared()) continue;
      ended_.insert_or_assign(id, Ended{{was.producer_id, was.epoch}, now->state == State::kPrepareCommit});
    }
  }

  [[nodiscard]] bool is_current(const Client& client) const {
    const Transaction* now = machine().find(client.id);
    return now != nullptr && client.producer && now->producer_id == client.producer->id &&
           now->epoch == client.producer->epoch;
  }
  [[nodiscard]] const TransactionMachine& machine() const { return driver_.machine(); }
  [[nodiscard]] std::optional<State> state_of(const std::string& id) const {
    const Transaction* now = machine().find(id);
    return now == nullptr ? std::nullopt : std::optional(now->state);
  }

  /// What a transaction had when its end was lost is in it again.
  void cut_power(std::size_t records) {
    driver_.cut_power(records);
    was_cut_ = true;
    epochs_.clear();
    for (Client& client : clients_) {
      const Transaction* now = machine().find(client.id);
      if (now != nullptr && is_current(client)) client.added = now->partitions;
    }
  }

  void init(Client& client, std::optional<Producer> expected) {
    const auto before = state_of(client.id);
    const auto last_epoch = before ? machine().find(client.id)->last_epoch : std::nullopt;
    const ProducerAnswer answer = driver_.init(client.id, expected, kTimeoutMs);
    if (answer.code != ErrorCode::kNone) return;
    RC_ASSERT(before != State::kOngoing && before != State::kPrepareCommit && before != State::kPrepareAbort);
    RC_ASSERT(state_of(client.id) == State::kEmpty);
    // Nobody else may be left with the epoch that it was given, but for whoever asked twice.
    for (const Client& other : clients_) {
      if (&other != &client && !expected) RC_ASSERT(other.producer != answer.producer);
    }
    const bool asked_twice = expected && expected->epoch == last_epoch;
    if (answer_lost_) return;
    RC_ASSERT(told_.insert(*answer.producer).second || asked_twice);
    client.producer = answer.producer;
    client.added.clear();
  }

  void add(Client& client, int detail) {
    const TopicPartition partition{"orders", PartitionIndex(detail % 3)};
    const bool current = is_current(client);
    const auto before = state_of(client.id);
    const bool is_next = machine().find(client.id)->next_producer_id == client.producer->id &&
                         client.producer->epoch == ProducerEpoch(0);
    const ErrorCode code = driver_.add(client.id, *client.producer, {partition}, client.protocol);
    RC_ASSERT(!is_next || code == ErrorCode::kConcurrentTransactions);
    if (code != ErrorCode::kNone) return;
    RC_ASSERT(current);
    if (before != State::kOngoing) client.added.clear();
    client.added.insert(partition);
    RC_ASSERT(state_of(client.id) == State::kOngoing);
    RC_ASSERT(machine().find(client.id)->partitions == client.added);
    Known& known = written_[{client.producer->id, partition}];
    if (known.epoch <= client.producer->epoch) {
      known = {client.producer->epoch, true};
    } else {
      RC_ASSERT(was_cut_);
    }
  }

  /// As storage/producer_state.cc takes it. Every one of them ends what the transaction wrote, and that
  /// alone, but for what a power cut took of the log.
  void write_markers(const std::string& id, const Transaction& prepared) {
    const bool strict = prepared.protocol == TransactionProtocol::kEpochPerTransaction;
    for (const TopicPartition& partition : prepared.partitions) {
      Known& known = written_[{prepared.producer_id, partition}];
      const bool last = prepared.epoch == ProducerEpoch(INT16_MAX);
      const bool taken =
          prepared.epoch > known.epoch || (prepared.epoch == known.epoch && (!strict || !known.open || last));
      RC_ASSERT(taken || prepared.loaded || (was_cut_ && !known.open));
      if (!taken) continue;
      if (!was_cut_ && known.open) RC_ASSERT(known.epoch == ended_.at(id).producer.epoch);
      known = {prepared.epoch, false};
    }
  }

  void end(Client& client, bool commit) {
    const auto before = state_of(client.id);
    const bool current = is_current(client);
    const std::size_t records = driver_.log().size();
    const ProducerAnswer answer = driver_.end(client.id, *client.producer, commit, client.protocol);
    if (answer.code != ErrorCode::kNone) return;
    const bool decided = driver_.log().size() != records;
    const Transaction& now = *machine().find(client.id);
    if (decided) {
      RC_ASSERT(current);
      RC_ASSERT(now.state == (commit ? State::kPrepareCommit : State::kPrepareAbort));
      if (before == State::kOngoing) RC_ASSERT(now.partitions == client.added);
      // Only an abort may end what never began.
      if (before != State::kOngoing) RC_ASSERT(!commit && now.partitions.empty());
    } else {
      RC_ASSERT(now.state == (commit ? State::kCompleteCommit : State::kCompleteAbort));
      // Nobody is told of the end of a transaction that was another's, or of another end.
      const auto ended = ended_.find(client.id);
      if (ended != ended_.end()) RC_ASSERT(ended->second == (Ended{*client.producer, commit}));
    }
    if (answer_lost_) return;
    if (answer.producer) {
      RC_ASSERT(client.protocol == TransactionProtocol::kEpochPerTransaction);
      RC_ASSERT(told_.insert(*answer.producer).second || !decided);
      client.producer = answer.producer;
    }
    client.added.clear();
  }

  void complete(const std::string& id) {
    const Transaction* before = machine().find(id);
    if (before == nullptr) return;
    const bool prepared = before->prepared();
    const State was = before->state;
    if (prepared) write_markers(id, Transaction(*before));
    driver_.complete(id);
    if (!prepared || driver_.log_refuses) {
      RC_ASSERT(state_of(id) == was);
    } else {
      RC_ASSERT(state_of(id) ==
                (was == State::kPrepareCommit ? State::kCompleteCommit : State::kCompleteAbort));
    }
  }

  void check() {
    for (const std::string id : {"a", "b"}) {
      if (machine().find(id) == nullptr) continue;
      const Transaction& now = *machine().find(id);
      // But for a power cut an epoch never goes back, and with a new producer id it begins at 0.
      const auto known = epochs_.find(now.producer_id);
      if (known != epochs_.end()) RC_ASSERT(now.epoch >= known->second);
      epochs_.insert_or_assign(now.producer_id, now.epoch);
      const bool open = now.state == State::kOngoing || now.prepared();
      RC_ASSERT(machine().open().contains(id) == open);
      RC_ASSERT(open || now.partitions.empty());
      RC_ASSERT(now.state == State::kEmpty || now.started.has_value());
    }
    for (const Client& one : clients_) {
      for (const Client& other : clients_)
        RC_ASSERT(&one == &other || !one.producer || one.producer != other.producer);
      // The last epoch ends transactions; whoever had it could end none.
      RC_ASSERT(!one.producer || one.producer->epoch < ProducerEpoch(INT16_MAX));
    }
    std::int64_t counted = 0;
    for (const std::int64_t count : machine().count_by_state()) {
      RC_ASSERT(count >= 0);
      counted += count;
    }
    RC_ASSERT(counted == static_cast<std::int64_t>(machine().size()));
  }

  mutable TransactionDriver driver_;
  std::vector<Client> clients_;
  std::map<ProducerId, ProducerEpoch> epochs_;
  bool answer_lost_ = false;
  bool was_cut_ = false;
  std::map<std::pair<ProducerId, TopicPartition>, Known> written_;
  std::map<std::string, Ended> ended_;  ///< the last of each id, but for what a power cut took
  std::set<Producer> told_;             ///< whom clients took themselves for, ever: nobody else may
};

TEST(TransactionModel, HoldsWhateverClientsDo) {
  const bool held = rc::check([] {
    World world(*rc::gen::weightedElement<bool>({{3, false}, {1, true}}));
    // Adding, ending and completing come more often, so that transactions get somewhere.
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(
        rc::gen::tuple(rc::gen::weightedElement<int>(
                           {{4, 0}, {2, 1}, {10, 2}, {8, 3}, {8, 4}, {2, 5}, {1, 6}, {1, 7}, {1, 8}}),
                       rc::gen::inRange<std::size_t>(0, kClients), rc::gen::inRange(0, 40)));
    for (const auto& [action, which, detail] : steps) world.step(action, which, detail);
    world.end_and_check_replay();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
