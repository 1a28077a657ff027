#include "client/producer.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "client/client.h"
#include "client/internal/producer_core.h"

namespace brook::client {
namespace {

/// The outcome of one record, between its callback and whoever waits for it.
struct Awaited {
  explicit Awaited(runtime::Clock& clock) : settled(clock) {}
  std::optional<Result<DeliveredRecord>> outcome;
  runtime::Signal settled;
};

}  // namespace

Producer::Producer(Client& client, ProducerOptions options)
    : core_(std::make_unique<internal::ProducerCore>(client.internals(), options)) {}

Producer::~Producer() = default;

bool Producer::try_send(ProducerRecord& record, Delivered& delivered) {
  return core_->try_send(record, delivered);
}

Task<bool> Producer::wait_for_room(runtime::Instant deadline) {
  const bool room = co_await core_->wait_for_room(deadline);
  co_return room;
}

Task<Result<void>> Producer::send(ProducerRecord record, Delivered delivered) {
  const runtime::Instant deadline =
      core_->cluster().shard().clock().now() + core_->options().delivery_timeout;
  while (!core_->try_send(record, delivered)) {
    const bool room = co_await core_->wait_for_room(deadline);
    if (room) continue;
    co_return fail(ErrorCode::kRequestTimedOut,
                   fmt::format("{}: no room in the producer's buffer of {} bytes, or it was stopped",
                               record.topic, core_->options().buffer_bytes_max));
  }
  co_return Result<void>();
}

Task<Result<DeliveredRecord>> Producer::send_and_wait(ProducerRecord record) {
  const auto awaited = std::make_shared<Awaited>(core_->cluster().shard().clock());
  Delivered delivered = [awaited](const Result<DeliveredRecord>& outcome) {
    awaited->outcome = outcome;
    awaited->settled.notify_all();
  };
  BROOK_CO_CHECK(co_await send(std::move(record), std::move(delivered)));
  while (!awaited->outcome) (void)co_await awaited->settled.wait_until(runtime::Instant::max());
  co_return *std::move(awaited->outcome);
}

Task<void> Producer::flush() { co_await core_->flush(); }
std::size_t Producer::undelivered() const { return core_->undelivered(); }
Task<void> Producer::stop() { co_await core_->stop(); }

}  // namespace brook::client
