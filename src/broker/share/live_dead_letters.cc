#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "broker/share/live_share_partition.h"
#include "broker/share/log_records.h"

/// How a share partition is rid of its dead letters: each is first archiving, which is durable, then written
/// to the topic, then archived. A crash in between writes it twice. What cannot be written is tried again for
/// as long as the group has a member, and counts against share.partition.max.record.locks meanwhile.
namespace brook::broker {
namespace {

constexpr std::int64_t kLettersMax = 500;           // of one write
constexpr std::size_t kReadBytesMax = 1024 * 1024;  // of one read, if the batch is not larger
constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLastPause{30};

}  // namespace

void LiveSharePartition::begin_dead_letters() {
  if (burying_ || stopping_ || !state_->next_dead_letters(1)) return;
  burying_ = true;
  shard_.gate().spawn_awaited(write_dead_letters(shared_from_this()));
}

Task<void> LiveSharePartition::write_dead_letters(std::shared_ptr<LiveSharePartition> self) {
  runtime::Duration pause = kFirstPause;
  while (const std::optional<DeadRange> range = self->state_->next_dead_letters(kLettersMax)) {
    if (self->obsolete() || self->stopping_) break;
    const Result<Offset> last = co_await self->bury(*range);
    if (last) {
      pause = kFirstPause;
      self->metrics_.dead_letters.add(static_cast<std::uint64_t>(*last - range->first + 1));
      self->state_->archive(range->first, *last);
      self->begin_writing();
      continue;
    }
    self->metrics_.failed_dead_letters.add();
    log::warn("share_dead_letters_not_written", {{"group", self->key_.group},
                                                 {"topic", self->partition_->name().topic},
                                                 {"partition", self->key_.partition.value()},
                                                 {"offset", range->first.value()},
                                                 {"why", last.error().context}});
    if (self->members_.empty() || self->stopping_) break;
    [[maybe_unused]] const bool changed =
        co_await self->changed_.wait_until(self->shard_.clock().now() + pause);
    if (self->members_.empty()) break;
    pause = std::min<runtime::Duration>(pause * 2, kLastPause);
  }
  self->burying_ = false;
}

Task<Result<Offset>> LiveSharePartition::bury(DeadRange range) {
  BROOK_CO_TRY(std::vector<DeadLetter> letters, co_await read_letters(range));
  const Offset last = letters.back().offset;
  BROOK_CO_CHECK(co_await dead_letters_.write({key_.group, partition_->name()}, std::move(letters)));
  co_return last;
}

Task<Result<std::vector<DeadLetter>>> LiveSharePartition::read_letters(DeadRange range) {
  std::vector<DeadLetter> letters;
  Offset end = range.last;
  std::vector<LogRecord> found;
  if (dead_letters_.copies_records(key_.group) && range.first >= partition_->log().log_start_offset()) {
    const Result<replica::ReadOutcome> outcome =
        co_await partition_->read(range.first, kReadBytesMax, true, replica::Isolation::kReadUncommitted, -1);
    const storage::CorruptRange* damaged = partition_->log().corrupt_range_at(range.first);
    if (!outcome && damaged != nullptr) {
      end = std::min(end, damaged->last_offset);
      range.why = GivenUp::kDamaged;  // not known any more where the broker was started since
    } else {
      if (!outcome) co_return std::unexpected(outcome.error());
      std::vector<std::byte> bytes;
      BROOK_CO_CHECK(co_await append(outcome->slice, bytes));
      LogRecords read = log_records(bytes, range.first, range.last);
      found = std::move(read.records);
      if (read.last) end = std::min(end, *read.last);
    }
  }
  auto next = found.begin();
  for (Offset offset = range.first; offset <= end; offset = offset.next()) {
    DeadLetter& letter = letters.emplace_back();
    letter.offset = offset;
    letter.delivery_count = range.delivery_count;
    letter.why = range.why;
    if (next == found.end() || next->offset != offset) continue;
    letter.key = std::move(next->key);
    letter.value = std::move(next->value);
    letter.headers = std::move(next->headers);
    ++next;
  }
  co_return letters;
}

}  // namespace brook::broker
