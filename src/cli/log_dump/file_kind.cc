#include "cli/log_dump/file_kind.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>

namespace brook::cli {
namespace {

constexpr std::size_t kOffsetDigits = 20;

constexpr std::array<std::string_view, 4> kPassing = {".deleted", ".cleaned", ".swap", ".cut"};
constexpr std::array<std::pair<std::string_view, FileKind>, 6> kByExtension = {{
    {".log", FileKind::kSegment},
    {".checkpoint", FileKind::kSegment},
    {".index", FileKind::kOffsetIndex},
    {".timeindex", FileKind::kTimeIndex},
    {".txnindex", FileKind::kTransactionIndex},
    {".snapshot", FileKind::kProducerSnapshot},
}};
constexpr std::array<std::pair<std::string_view, FileKind>, 7> kByName = {{
    {"leader-epoch-checkpoint", FileKind::kLeaderEpochs},
    {"recovery-point-offset-checkpoint", FileKind::kPartitionOffsets},
    {"replication-offset-checkpoint", FileKind::kPartitionOffsets},
    {"log-start-offset-checkpoint", FileKind::kPartitionOffsets},
    {"cleaner-offset-checkpoint", FileKind::kPartitionOffsets},
    {"meta.properties", FileKind::kProperties},
    {"partition.metadata", FileKind::kProperties},
}};

std::optional<Offset> offset_in(std::string_view stem) {
  if (stem.size() < kOffsetDigits) return std::nullopt;
  std::int64_t offset = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + kOffsetDigits, offset);
  if (error != std::errc{} || end != stem.data() + kOffsetDigits) return std::nullopt;
  return Offset(offset);
}

}  // namespace

std::optional<DataFile> recognise(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string_view suffix : kPassing) {
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  }
  for (const auto& [known, kind] : kByName) {
    if (name == known) return DataFile{kind, std::nullopt};
  }
  for (const auto& [extension, kind] : kByExtension) {
    if (name.ends_with(extension))
      return DataFile{kind, offset_in(name.substr(0, name.size() - extension.size()))};
  }
  return std::nullopt;
}

}  // namespace brook::cli
