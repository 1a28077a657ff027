#include "replica/first_unread.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "record/batch.h"

namespace brook::replica {
namespace {

constexpr int kHeadersMax = 16;

/// What a batch's header says, without the batch behind it.
class BatchHead {
 public:
  using Bytes = std::array<std::byte, record::kBatchHeaderSize>;
  explicit BatchHead(const Bytes& bytes) : bytes_(bytes) {}

  [[nodiscard]] Offset base_offset() const { return Offset(get<std::int64_t>(0)); }
  [[nodiscard]] Offset next_offset() const { return base_offset() + get<std::int32_t>(23) + 1; }
  [[nodiscard]] bool is_control() const { return (attributes() & 0x20U) != 0; }
  [[nodiscard]] bool is_transactional() const { return (attributes() & 0x10U) != 0; }
  [[nodiscard]] ProducerId producer_id() const { return ProducerId(get<std::int64_t>(43)); }
  /// Append times are one for the batch; in a batch with a delete horizon (KIP-534) that stands where the
  /// first record's time was.
  [[nodiscard]] Timestamp first_time() const {
    const bool whole = (attributes() & (0x08U | 0x40U)) != 0;
    return Timestamp(get<std::int64_t>(whole ? 35 : 27));
  }

 private:
  template <class T>
  [[nodiscard]] T get(std::size_t at) const {
    return load_be<T>(bytes_.data() + at);
  }
  [[nodiscard]] std::uint16_t attributes() const { return get<std::uint16_t>(21); }

  const Bytes& bytes_;
};

bool is_aborted(const BatchHead& head, const std::vector<storage::AbortedTransaction>& aborted) {
  if (!head.is_transactional()) return false;
  return std::ranges::any_of(aborted, [&](const storage::AbortedTransaction& each) {
    return each.producer_id == head.producer_id() && head.base_offset() >= each.first_offset &&
           head.base_offset() <= each.last_offset;
  });
}

}  // namespace

Task<Result<std::optional<Timestamp>>> first_unread_time(std::shared_ptr<Partition> partition, Offset from) {
  std::optional<Timestamp> found;
  for (int looked = 0; looked < kHeadersMax; ++looked) {
    from = std::max(from, partition->log().log_start_offset());
    if (from >= partition->last_stable_offset()) co_return std::optional<Timestamp>();
    BROOK_CO_TRY(const ReadOutcome read,
                 co_await partition->read(from, 1, true, Isolation::kReadCommitted, -1));
    if (read.slice.ranges.empty()) co_return std::optional<Timestamp>();
    const storage::FileRange& range = read.slice.ranges.front();
    BatchHead::Bytes bytes{};
    BROOK_CO_TRY(const std::size_t size, co_await range.file->read_at(range.offset, bytes));
    if (size < bytes.size()) co_return std::optional<Timestamp>();
    const BatchHead head(bytes);
    found = head.first_time();
    if (!head.is_control() && !is_aborted(head, read.aborted)) break;
    from = std::max(from.next(), head.next_offset());
  }
  co_return found;
}

}  // namespace brook::replica
