#include "storage/segment_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "record/batch.h"

namespace brook::storage {
namespace {

using internal::BatchHeader;
using internal::kBatchHeaderSize;

constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kLastDeltaAt = 23;
constexpr std::int8_t kMagic = 2;

/// What the length field says, where that may be: how far it is to the next batch if the damage is elsewhere.
std::optional<std::uint64_t> declared_size(ByteView head, std::uint64_t left) {
  if (head.size() < kBatchHeaderSize) return std::nullopt;
  const std::int64_t size =
      std::int64_t{load_be<std::int32_t>(head.data() + kLengthAt)} + std::int64_t{record::kLogOverhead};
  if (size < std::int64_t{kBatchHeaderSize} || static_cast<std::uint64_t>(size) > left) return std::nullopt;
  return static_cast<std::uint64_t>(size);
}

}  // namespace

bool SegmentCheck::can_hold(Offset offset) const {
  const std::int64_t relative = offset - base_offset_;
  return relative >= 0 && relative <= std::numeric_limits<std::int32_t>::max();
}

Task<Result<std::optional<BatchHeader>>> SegmentCheck::header_behind(std::uint64_t offset) {
  std::optional<BatchHeader> header;
  const std::uint64_t left = reader_.end() - reader_.position();
  if (left < kBatchHeaderSize || offset > left - kBatchHeaderSize) co_return header;
  BROOK_CO_TRY(const ByteView head, co_await reader_.peek(offset, kBatchHeaderSize));
  header = internal::parse_batch_header(head);
  if (header && header->size > left - offset) header.reset();
  co_return header;
}

SegmentCheck::Fault SegmentCheck::fault_without_header(ByteView head, std::uint64_t left) {
  if (head.empty()) return {BatchFault::kTorn, "the file ends before it"};
  if (std::ranges::all_of(head, [](std::byte each) { return each == std::byte{0}; }))
    return {BatchFault::kTorn, "zeros where a batch should begin"};
  if (head.size() < kBatchHeaderSize) {
    return {BatchFault::kTorn, fmt::format("torn tail: the last {} bytes are no whole batch", left)};
  }
  if (const auto magic = load_be<std::int8_t>(head.data() + kMagicAt); magic != kMagic)
    return {BatchFault::kMagic, fmt::format("the magic is {} and not {}", magic, kMagic)};
  return {BatchFault::kNoBatch,
          fmt::format("no batch begins there: base offset {}, length {}, last offset delta {}",
                      load_be<std::int64_t>(head.data()), load_be<std::int32_t>(head.data() + kLengthAt),
                      load_be<std::int32_t>(head.data() + kLastDeltaAt))};
}

std::optional<SegmentCheck::Fault> SegmentCheck::fault_of_offsets(const BatchHeader& header) const {
  const auto fault = [](std::string reason) { return Fault{BatchFault::kOffsets, std::move(reason)}; };
  if (header.base_offset < base_offset_) {
    return fault(fmt::format("its base offset {} is below the segment's, {}", header.base_offset.value(),
                             base_offset_.value()));
  }
  if (!can_hold(header.last_offset)) {
    return fault(fmt::format("its last offset {} is more than 2^31 - 1 above the segment's base offset {}",
                             header.last_offset.value(), base_offset_.value()));
  }
  if (header.base_offset < expected_) {
    return fault(fmt::format("its base offset {} is not above {}, the last offset before it",
                             header.base_offset.value(), expected_.value() - 1));
  }
  if (end_offset_ && header.last_offset >= *end_offset_) {
    return Fault{BatchFault::kReach, fmt::format("its last offset {} is not below {}, where the segment ends",
                                                 header.last_offset.value(), end_offset_->value())};
  }
  return std::nullopt;
}

Task<Result<std::optional<SegmentCheck::Fault>>> SegmentCheck::fault_of(BatchHeader header) {
  std::optional<Fault> fault;
  BROOK_CO_TRY(const bool matches, co_await reader_.crc_matches(header));
  if (!matches) {
    fault = Fault{BatchFault::kChecksum,
                  fmt::format("its CRC-32C is not {:08x}, as its header says", header.crc)};
    co_return fault;
  }
  fault = fault_of_offsets(header);
  if (fault) co_return fault;
  // The checksum is not over the base offset. Where this batch leaves a hole before it and the next one
  // begins within it, it is this one that lies.
  if (header.base_offset == expected_) co_return fault;
  BROOK_CO_TRY(const auto next, co_await header_behind(header.size));
  if (next && next->base_offset <= header.last_offset && next->base_offset > expected_) {
    fault = Fault{BatchFault::kReach,
                  fmt::format("its last offset {} is not below {}, where the next batch begins",
                              header.last_offset.value(), next->base_offset.value())};
  }
  co_return fault;
}

/// How far it is not to be trusted: to the batch that its length leads to, if that can be one.
Task<Result<BatchFlaw>> SegmentCheck::delimit(Fault fault, std::optional<std::uint64_t> size,
                                              std::optional<BatchHeader> header) {
  const std::uint64_t position = reader_.position();
  const Offset highest = base_offset_ + std::int64_t{std::numeric_limits<std::int32_t>::max()};
  BatchFlaw flaw{.fault = fault.fault,
                 .position = position,
                 .end = reader_.end(),
                 .first_offset = expected_,
                 .last_offset = end_offset_ ? *end_offset_ - 1 : highest,
                 .reason = std::move(fault.reason)};
  if (size && position + *size < reader_.end()) {
    BROOK_CO_TRY(const auto next, co_await header_behind(*size));
    if (next && next->base_offset > expected_ && can_hold(next->last_offset)) {
      flaw.end = position + *size;
      flaw.last_offset = next->base_offset - 1;
    }
  } else if (size && !end_offset_ && header && header->last_offset >= expected_ &&
             can_hold(header->last_offset)) {
    flaw.last_offset = header->last_offset;
  }
  flaw.last_offset = std::max(flaw.last_offset, flaw.first_offset);
  co_return flaw;
}

Task<Result<std::optional<CheckedBatch>>> SegmentCheck::next() {
  std::optional<CheckedBatch> found;
  const std::uint64_t left = reader_.end() - reader_.position();
  if (left == 0) co_return found;
  found.emplace();
  found->position = reader_.position();
  const auto head_size = static_cast<std::size_t>(std::min<std::uint64_t>(kBatchHeaderSize, left));
  BROOK_CO_TRY(const ByteView head, co_await reader_.peek(0, head_size));
  const std::optional<std::uint64_t> size = declared_size(head, left);
  const std::optional<BatchHeader> header = internal::parse_batch_header(head);
  std::optional<Fault> fault;
  if (!header) {
    fault = fault_without_header(head, left);
  } else if (header->size > left) {
    fault = Fault{BatchFault::kTorn,
                  fmt::format("torn tail: the batch has {} bytes and {} are left", header->size, left)};
  } else {
    found->header = header;
    BROOK_CO_TRY(fault, co_await fault_of(*header));
  }
  if (fault) {
    BROOK_CO_TRY(found->flaw, co_await delimit(*std::move(fault), size, header));
    found->size = found->flaw->end - found->position;
  } else {
    found->size = header->size;
    expected_ = header->last_offset.next();
  }
  reader_.skip_bytes(found->size);
  co_return found;
}

}  // namespace brook::storage
