#include "keeper/transaction_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/crc32c.h"
#include "keeper/internal/encoding.h"

namespace brook::keeper {
namespace {

constexpr std::string_view kMagic = "BKTL";
constexpr std::size_t kHeaderBytes = 12;
constexpr std::string_view kPrefix = "log.";

std::string file_name(Zxid first) { return fmt::format("{}{:016x}", kPrefix, first.value()); }

std::optional<Zxid> first_zxid(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + 16) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value, 16);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return Zxid(value);
}

std::uint32_t frame_crc(std::string_view length, std::string_view payload) {
  return crc32c(as_bytes(payload), crc32c(as_bytes(length)));
}

/// The payload of the frame that `bytes` begin with; nothing where they begin with none.
std::optional<std::string_view> frame_payload(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const auto length = load_be<std::uint32_t>(as_bytes(bytes).data() + 4);
  const auto crc = load_be<std::uint32_t>(as_bytes(bytes).data() + 8);
  if (length > bytes.size() - kHeaderBytes) return std::nullopt;
  const std::string_view payload = bytes.substr(kHeaderBytes, length);
  if (frame_crc(bytes.substr(4, 4), payload) != crc) return std::nullopt;
  return payload;
}

std::optional<std::vector<Proposal>> decode_payload(std::string_view payload) {
  internal::Reader reader(payload);
  std::vector<Proposal> proposals;
  for (auto left = reader.integer<std::uint32_t>(); left > 0; --left) {
    auto proposal = internal::read_proposal(reader);
    if (!proposal) return std::nullopt;
    proposals.push_back(*std::move(proposal));
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return proposals;
}

}  // namespace

std::string encode_frame(const std::vector<Proposal>& proposals) {
  internal::Writer payload;
  payload.integer(static_cast<std::uint32_t>(proposals.size()));
  for (const Proposal& proposal : proposals) internal::write_proposal(payload, proposal);
  internal::Writer length;
  length.integer(static_cast<std::uint32_t>(payload.out().size()));
  internal::Writer crc;
  crc.integer(frame_crc(length.out(), payload.out()));
  return fmt::format("{}{}{}{}", kMagic, length.out(), crc.out(), payload.out());
}

DecodedFrames decode_frames(std::string_view bytes) {
  DecodedFrames decoded;
  while (decoded.good_bytes < bytes.size()) {
    const auto payload = frame_payload(bytes.substr(decoded.good_bytes));
    auto proposals = payload ? decode_payload(*payload) : std::nullopt;
    if (!proposals) break;
    std::ranges::move(*proposals, std::back_inserter(decoded.proposals));
    decoded.good_bytes += kHeaderBytes + payload->size();
  }
  // Beyond the first bad frame: is there a good one anywhere? One inside the cut frame's own payload would
  // need a node's data that looks like a frame with a right CRC; then too, refusing is the safe answer.
  for (std::size_t at = bytes.find(kMagic, decoded.good_bytes + 1); at != std::string_view::npos;
       at = bytes.find(kMagic, at + 1)) {
    if (frame_payload(bytes.substr(at))) decoded.damaged = true;
  }
  return decoded;
}

Result<TransactionLog::Opened> TransactionLog::open(runtime::FileSystem& files, std::string directory,
                                                    Zxid after, const Replay& replay) {
  BROOK_CHECK(files.create_directories(directory));
  BROOK_TRY(const auto entries, files.list(directory));
  std::vector<Zxid> firsts;
  for (const auto& entry : entries) {
    if (const auto first = first_zxid(entry.name)) firsts.push_back(*first);
  }
  std::ranges::sort(firsts);

  Opened opened;
  opened.log = std::unique_ptr<TransactionLog>(new TransactionLog(files, directory));
  Zxid last = after;
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    const std::string path = fmt::format("{}/{}", directory, file_name(firsts[i]));
    const bool newest = i + 1 == firsts.size();
    if (!newest && firsts[i + 1] <= after.next()) {
      BROOK_CHECK(files.remove(path));  // A snapshot replaced it; a crash came before it was removed.
      continue;
    }
    BROOK_TRY(const std::string bytes, files.read_whole(path));
    const DecodedFrames decoded = decode_frames(bytes);
    if (decoded.damaged || (!newest && decoded.good_bytes != bytes.size())) {
      return fail(
          ErrorCode::kKafkaStorageError,
          fmt::format("{} is damaged at offset {}: good records follow a bad one", path, decoded.good_bytes));
    }
    for (const Proposal& proposal : decoded.proposals) {
      if (proposal.zxid <= last) continue;
      if (proposal.zxid != last.next()) {
        return fail(ErrorCode::kKafkaStorageError,
                    fmt::format("{} goes on with zxid {} after {}: records are missing", path,
                                proposal.zxid.value(), last.value()));
      }
      BROOK_CHECK(replay(proposal));
      last = proposal.zxid;
    }
    if (!newest) continue;
    BROOK_TRY(opened.log->file_, files.open(path, runtime::OpenMode::kReadWrite));
    opened.log->size_ = decoded.good_bytes;
    if (decoded.good_bytes != bytes.size()) {
      opened.cut = fmt::format("{} bytes after offset {} of {} were no complete record and have been cut",
                               bytes.size() - decoded.good_bytes, decoded.good_bytes, path);
      BROOK_CHECK(opened.log->file_->truncate(decoded.good_bytes));
    }
    // What a killed process wrote is seen here, and need not be on the disk; from here on it is told.
    BROOK_CHECK(opened.log->file_->sync_blocking());
    BROOK_CHECK(files.sync_directory(directory));
  }
  if (!opened.log->file_) BROOK_CHECK(opened.log->start_file(last.next()));
  return opened;
}

Result<void> TransactionLog::start_file(Zxid first) {
  BROOK_TRY(file_, files_.open(fmt::format("{}/{}", directory_, file_name(first)),
                               runtime::OpenMode::kCreateOrEmpty));
  size_ = 0;
  dirty_tail_ = false;
  return files_.sync_directory(directory_);
}

Task<Result<void>> TransactionLog::append(std::vector<Proposal> proposals) {
  BROOK_CO_CHECK(repair());
  const std::string frame = encode_frame(proposals);
  dirty_tail_ = true;
  const ByteView parts[] = {as_bytes(frame)};
  BROOK_CO_CHECK(file_->write_at(size_, parts));
  Result<void> synced = co_await file_->sync();
  if (!synced) co_return synced;
  dirty_tail_ = false;
  size_ += frame.size();
  co_return Result<void>{};
}

Result<void> TransactionLog::repair() {
  if (!dirty_tail_) return {};
  BROOK_CHECK(file_->truncate(size_));
  dirty_tail_ = false;
  return {};
}

Result<void> TransactionLog::roll(Zxid next) {
  BROOK_CHECK(start_file(next));
  BROOK_TRY(const auto entries, files_.list(directory_));
  for (const auto& entry : entries) {
    const auto first = first_zxid(entry.name);
    if (first && *first < next) BROOK_CHECK(files_.remove(fmt::format("{}/{}", directory_, entry.name)));
  }
  return {};
}

}  // namespace brook::keeper
