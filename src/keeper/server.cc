#include "keeper/server.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/log.h"
#include "keeper/sessions.h"
#include "keeper/snapshot.h"
#include "keeper/transaction_log.h"
#include "keeper/tree.h"
#include "keeper/watches.h"
#include "runtime/gate.h"
#include "runtime/signal.h"

namespace brook::keeper {
namespace {

/// Signals are waited for in steps, since a deadline is asked for; the end of a step means nothing.
constexpr std::chrono::seconds kWaitStep{60};

/// Changes that share a write and an fsync, and whoever waits for it.
struct Batch {
  std::vector<Proposal> proposals;
  std::vector<WatchEvent> events;
  std::vector<SessionId> ended;
  bool done = false;
  std::optional<Error> error;
};

}  // namespace

class Server::Impl {
 public:
  Impl(runtime::Shard& shard, runtime::FileSystem& files, std::string directory, ServerOptions options)
      : shard_(shard),
        files_(files),
        directory_(std::move(directory)),
        options_(options),
        work_(shard.clock()),
        committed_(shard.clock()),
        sessions_(Zxid(0)) {}

  [[nodiscard]] Task<Result<void>> start() {
    BROOK_CO_CHECK(load());
    sessions_ = Sessions(tree_.last_zxid());
    for (const SessionId session : tree_.sessions()) stage_close(session);
    const std::shared_ptr<Batch> batch = pending_;  // Nothing where no session left anything.
    gate_.spawn(commit_batches());
    KeeperResult<void> ended = co_await durable(batch);
    if (!ended) co_return fail(ErrorCode::kKafkaStorageError, ended.error().context);
    co_return Result<void>{};
  }

  [[nodiscard]] Task<void> close() {
    closing_ = true;
    work_.notify_all();
    co_await gate_.close();
  }

  [[nodiscard]] SessionId open_session() { return sessions_.open(); }

  [[nodiscard]] Task<KeeperResult<MultiReply>> propose(SessionId session, std::vector<Operation> operations) {
    if (auto ready = check_ready(session); !ready) co_return std::unexpected(std::move(ready).error());
    if (operations_size(operations) > kMaxDataBytes) {
      co_return keeper_fail(KeeperError::kBadArguments, "the operations of one multi are larger than 1 MiB");
    }
    Proposal proposal{tree_.last_zxid().next(), shard_.clock().wall_now(), session, std::move(operations),
                      false};
    KeeperResult<Applied> applied = tree_.apply(proposal);
    if (!applied) {
      // What refused it may not be on disk yet: that is waited for, too, before it is told.
      const std::shared_ptr<Batch> seen = newest();
      KeeperResult<void> settled = co_await durable(seen);
      if (!settled) co_return std::unexpected(std::move(settled).error());
      co_return std::unexpected(std::move(applied).error());
    }
    const std::shared_ptr<Batch> batch = stage(std::move(proposal), std::move(applied->events));
    KeeperResult<void> logged = co_await durable(batch);
    if (!logged) co_return std::unexpected(std::move(logged).error());
    co_return std::move(applied->reply);
  }

  /// `read` is one of the tree's readers; its result is told when all that it saw is on disk.
  template <class T>
  [[nodiscard]] Task<KeeperResult<T>> read(SessionId session,
                                           KeeperResult<T> (Tree::*reader)(const std::string&) const,
                                           std::string path) {
    if (auto ready = check_ready(session); !ready) co_return std::unexpected(std::move(ready).error());
    KeeperResult<T> result = (tree_.*reader)(path);
    const std::shared_ptr<Batch> seen = newest();
    KeeperResult<void> settled = co_await durable(seen);
    if (!settled) co_return std::unexpected(std::move(settled).error());
    co_return result;
  }

  [[nodiscard]] Task<KeeperResult<void>> add_watch(SessionId session, std::string path, WatchMode mode,
                                                   Client::WatchCallback callback) {
    if (auto ready = check_ready(session); !ready) co_return std::unexpected(std::move(ready).error());
    if (auto valid = check_path(path); !valid) co_return std::unexpected(std::move(valid).error());
    watches_.add(session, std::move(path), mode, tree_.last_zxid(), std::move(callback));
    const std::shared_ptr<Batch> seen = newest();
    KeeperResult<void> settled = co_await durable(seen);
    co_return settled;
  }

  [[nodiscard]] Task<KeeperResult<void>> close_session(SessionId session) {
    if (!sessions_.close(session)) co_return KeeperResult<void>{};
    if (broken_ && !reload()) {
      watches_.end_session(session);
      co_return KeeperResult<void>{};  // The next life ends the session.
    }
    const std::shared_ptr<Batch> batch = stage_close(session);
    KeeperResult<void> logged = co_await durable(batch);
    co_return logged;
  }

  /// For a client that dies without a close.
  void abandon_session(SessionId session) {
    if (!sessions_.close(session)) return;
    watches_.drop_session(session);
    if (!closing_ && !broken_) stage_close(session);
  }

  [[nodiscard]] std::uint64_t group_commits() const { return group_commits_; }
  [[nodiscard]] Zxid last_zxid() const { return tree_.last_zxid(); }

 private:
  [[nodiscard]] Result<void> load() {
    Tree tree;
    BROOK_CHECK(files_.create_directories(directory_));
    BROOK_CHECK(load_snapshot(files_, directory_, tree));
    auto opened = TransactionLog::open(
        files_, directory_, tree.last_zxid(), [&](const Proposal& proposal) -> Result<void> {
          if (auto applied = tree.apply(proposal); !applied) {
            return fail(ErrorCode::kKafkaStorageError,
                        "a logged change does not apply: " + applied.error().context);
          }
          return {};
        });
    if (!opened) return std::unexpected(std::move(opened).error());
    if (!opened->cut.empty()) log::warn("keeper_log_cut", {{"what", opened->cut}});
    tree_ = std::move(tree);
    log_ = std::move(opened->log);
    return {};
  }

  /// Goes back to what is on disk, after a write failed. At most once a second.
  [[nodiscard]] bool reload() {
    const auto now = shard_.clock().now();
    if (now < next_reload_) return false;
    next_reload_ = now + std::chrono::seconds(1);
    Result<void> loaded = log_->repair();
    if (loaded) loaded = load();
    if (!loaded) {
      log::error("keeper_reload_failed", {{"error", loaded.error().context}});
      return false;
    }
    broken_ = false;
    return true;
  }

  [[nodiscard]] KeeperResult<void> check_ready(SessionId session) {
    if (closing_ || !sessions_.is_open(session))
      return keeper_fail(KeeperError::kSessionExpired, "the session is closed");
    if (broken_ && !reload())
      return keeper_fail(KeeperError::kSystemError, "the keeper's log can't be written");
    return {};
  }

  std::shared_ptr<Batch> stage(Proposal proposal, std::vector<WatchEvent> events) {
    if (!pending_) pending_ = std::make_shared<Batch>();
    pending_->proposals.push_back(std::move(proposal));
    pending_->events.insert(pending_->events.end(), std::make_move_iterator(events.begin()),
                            std::make_move_iterator(events.end()));
    work_.notify_all();
    return pending_;
  }

  std::shared_ptr<Batch> stage_close(SessionId session) {
    Proposal proposal{tree_.last_zxid().next(), shard_.clock().wall_now(), session, {}, true};
    auto applied = tree_.apply(proposal);  // The end of a session is never refused.
    auto batch = stage(std::move(proposal), std::move(applied->events));
    batch->ended.push_back(session);
    return batch;
  }

  /// The last batch that is not on disk yet, if any: readers have seen its changes.
  [[nodiscard]] std::shared_ptr<Batch> newest() const { return pending_ ? pending_ : writing_; }

  [[nodiscard]] Task<KeeperResult<void>> durable(std::shared_ptr<Batch> batch) {
    while (batch && !batch->done) {
      (void)co_await committed_.wait_until(shard_.clock().now() + kWaitStep);
    }
    if (batch && batch->error) co_return keeper_fail(KeeperError::kSystemError, batch->error->context);
    co_return KeeperResult<void>{};
  }

  [[nodiscard]] Task<void> commit_batches() {
    while (true) {
      if (!pending_) {
        if (closing_) co_return;
        (void)co_await work_.wait_until(shard_.clock().now() + kWaitStep);
        continue;
      }
      co_await commit_batch();
    }
  }

  [[nodiscard]] Task<void> commit_batch() {
    writing_ = std::exchange(pending_, nullptr);
    const Zxid through = tree_.last_zxid();
    // Taken here because the tree is now exactly what will be on disk when this batch is.
    std::string snapshot;
    if (log_->size() > options_.log_bytes_max) snapshot = encode_snapshot(tree_);
    Result<void> logged = co_await log_->append(std::move(writing_->proposals));
    group_commits_ += 1;
    const std::shared_ptr<Batch> batch = std::exchange(writing_, nullptr);
    if (logged) {
      finish(*batch);
    } else {
      give_up(*batch, logged.error());
      co_return;
    }
    if (!snapshot.empty()) co_await replace_log(std::move(snapshot), through);
  }

  void finish(Batch& batch) {
    batch.done = true;
    watches_.deliver(batch.events);
    for (const SessionId session : batch.ended) watches_.end_session(session);
    committed_.notify_all();
  }

  /// Everything that is not on disk fails: what follows a failed change was decided on top of it.
  void give_up(Batch& batch, const Error& error) {
    log::error("keeper_log_failed", {{"error", error.context}});
    const std::shared_ptr<Batch> later = std::exchange(pending_, nullptr);
    for (Batch* failed : {&batch, later.get()}) {
      if (!failed) continue;
      failed->done = true;
      failed->error = error;
    }
    broken_ = true;
    next_reload_ = {};
    (void)reload();
    committed_.notify_all();
  }

  [[nodiscard]] Task<void> replace_log(std::string snapshot, Zxid through) {
    Result<void> stored = co_await store_snapshot(files_, directory_, std::move(snapshot));
    if (stored) stored = log_->roll(through.next());
    if (!stored) {
      // The old log is whole; the next batch tries again.
      log::warn("keeper_snapshot_failed", {{"error", stored.error().context}});
      co_return;
    }
    log::info("keeper_snapshot", {{"zxid", through.value()}, {"nodes", tree_.node_count()}});
  }

  runtime::Shard& shard_;
  runtime::FileSystem& files_;
  std::string directory_;
  ServerOptions options_;

  Tree tree_;
  std::unique_ptr<TransactionLog> log_;
  Watches watches_;
  std::shared_ptr<Batch> pending_;  // Not handed to the log yet.
  std::shared_ptr<Batch> writing_;
  runtime::Signal work_;
  runtime::Signal committed_;
  runtime::Gate gate_;
  Sessions sessions_;
  bool closing_ = false;
  bool broken_ = false;  // The tree holds changes that are not on disk and never will be.
  runtime::Instant next_reload_{};
  std::uint64_t group_commits_ = 0;
};

namespace {

/// A session inside the process.
class LocalClient final : public Client {
 public:
  explicit LocalClient(Server::Impl& server) : server_(server), session_(server.open_session()) {}
  ~LocalClient() override { server_.abandon_session(session_); }

  SessionId session_id() const override { return session_; }

  Task<KeeperResult<Created>> create(std::string path, std::string data, CreateMode mode) override {
    KeeperResult<MultiReply> reply = co_await single(CreateOp{std::move(path), std::move(data), mode});
    if (!reply) co_return std::unexpected(std::move(reply).error());
    co_return Created{std::move(reply->results[0].path), reply->results[0].stat};
  }

  Task<KeeperResult<std::optional<Stat>>> exists(std::string path) override {
    return server_.read(session_, &Tree::exists, std::move(path));
  }

  Task<KeeperResult<NodeData>> get(std::string path) override {
    return server_.read(session_, &Tree::get, std::move(path));
  }

  Task<KeeperResult<Stat>> set(std::string path, std::string data, std::optional<Version> version) override {
    KeeperResult<MultiReply> reply = co_await single(SetOp{std::move(path), std::move(data), version});
    if (!reply) co_return std::unexpected(std::move(reply).error());
    co_return reply->results[0].stat;
  }

  Task<KeeperResult<Zxid>> remove(std::string path, std::optional<Version> version) override {
    KeeperResult<MultiReply> reply = co_await single(RemoveOp{std::move(path), version});
    if (!reply) co_return std::unexpected(std::move(reply).error());
    co_return reply->zxid;
  }

  Task<KeeperResult<Children>> children(std::string path) override {
    return server_.read(session_, &Tree::children, std::move(path));
  }

  Task<KeeperResult<MultiReply>> multi(std::vector<Operation> operations) override {
    return server_.propose(session_, std::move(operations));
  }

  Task<KeeperResult<void>> add_watch(std::string path, WatchMode mode, WatchCallback callback) override {
    return server_.add_watch(session_, std::move(path), mode, std::move(callback));
  }

  Task<KeeperResult<void>> close() override { return server_.close_session(session_); }

 private:
  [[nodiscard]] Task<KeeperResult<MultiReply>> single(Operation operation) {
    std::vector<Operation> operations;
    operations.push_back(std::move(operation));
    KeeperResult<MultiReply> reply = co_await server_.propose(session_, std::move(operations));
    if (!reply) reply.error().per_operation.clear();
    co_return reply;
  }

  Server::Impl& server_;
  SessionId session_;
};

}  // namespace

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Task<Result<std::unique_ptr<Server>>> Server::open(runtime::Shard& shard, runtime::FileSystem& files,
                                                   std::string directory, ServerOptions options) {
  auto impl = std::make_unique<Impl>(shard, files, std::move(directory), options);
  Result<void> started = co_await impl->start();
  if (!started) {
    co_await impl->close();
    co_return std::unexpected(std::move(started).error());
  }
  co_return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::unique_ptr<Client> Server::connect() { return std::make_unique<LocalClient>(*impl_); }
Task<void> Server::close() { return impl_->close(); }
std::uint64_t Server::group_commits() const { return impl_->group_commits(); }
Zxid Server::last_zxid() const { return impl_->last_zxid(); }

}  // namespace brook::keeper
