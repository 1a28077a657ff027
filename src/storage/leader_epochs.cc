#include "storage/leader_epochs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "storage/internal/checkpoint_lines.h"

namespace brook::storage {

void LeaderEpochs::assign(LeaderEpoch epoch, Offset start_offset) {
  const auto known = std::ranges::find(entries_, epoch, &EpochStart::epoch);
  if (known != entries_.end() && known + 1 == entries_.end() && known->start_offset <= start_offset) return;
  const auto contradicts = [&](const EpochStart& e) {
    return e.epoch >= epoch || e.start_offset >= start_offset;
  };
  std::erase_if(entries_, contradicts);
  entries_.push_back({epoch, start_offset});
  file_ = File::kOld;
}

void LeaderEpochs::truncate_from_end(Offset end_offset) {
  if (std::erase_if(entries_, [&](const EpochStart& e) { return e.start_offset >= end_offset; }) > 0)
    file_ = File::kOld;
}

void LeaderEpochs::truncate_from_start(Offset start_offset) {
  const auto after = std::ranges::upper_bound(entries_, start_offset, {}, &EpochStart::start_offset);
  if (after == entries_.begin()) return;
  const auto holder = after - 1;
  if (holder == entries_.begin() && holder->start_offset == start_offset) return;
  holder->start_offset = start_offset;
  entries_.erase(entries_.begin(), holder);
  file_ = File::kOld;
}

void LeaderEpochs::clear() {
  if (!entries_.empty()) file_ = File::kOld;
  entries_.clear();
}

std::optional<EpochStart> LeaderEpochs::latest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back();
}

std::optional<EpochEndOffset> LeaderEpochs::end_offset_for(LeaderEpoch epoch, Offset log_end_offset) const {
  if (entries_.empty() || epoch > entries_.back().epoch) return std::nullopt;
  if (epoch == entries_.back().epoch) return EpochEndOffset{epoch, log_end_offset};
  const auto higher = std::ranges::upper_bound(entries_, epoch, {}, &EpochStart::epoch);
  // Below the first known epoch: nothing of the asked one is left, and what is left diverges from its start
  // on.
  const LeaderEpoch floor = higher == entries_.begin() ? epoch : (higher - 1)->epoch;
  return EpochEndOffset{floor, higher->start_offset};
}

std::optional<LeaderEpoch> LeaderEpochs::epoch_of(Offset offset) const {
  const auto after = std::ranges::upper_bound(entries_, offset, {}, &EpochStart::start_offset);
  if (after == entries_.begin()) return std::nullopt;
  return (after - 1)->epoch;
}

std::string LeaderEpochs::text() const {
  std::string text = fmt::format("0\n{}\n", entries_.size());
  for (const EpochStart& e : entries_)
    fmt::format_to(std::back_inserter(text), "{} {}\n", e.epoch.value(), e.start_offset.value());
  return text;
}

Result<LeaderEpochs> LeaderEpochs::parse(std::string_view text, std::string_view path) {
  BROOK_TRY(const auto lines, internal::checkpoint_lines(text, path));
  std::vector<EpochStart> entries;
  for (const internal::CheckpointLine& line : lines) {
    const auto epoch =
        line.words.size() == 2 ? internal::parse_number<std::int32_t>(line.words[0]) : std::nullopt;
    const auto start =
        line.words.size() == 2 ? internal::parse_number<std::int64_t>(line.words[1]) : std::nullopt;
    if (!epoch || !start) return internal::bad_checkpoint_line(path, line);
    const EpochStart entry{LeaderEpoch(*epoch), Offset(*start)};
    if (!entries.empty() &&
        (entry.epoch <= entries.back().epoch || entry.start_offset <= entries.back().start_offset)) {
      return internal::bad_checkpoint_line(path, line);
    }
    entries.push_back(entry);
  }
  return LeaderEpochs(std::move(entries));
}

}  // namespace brook::storage
