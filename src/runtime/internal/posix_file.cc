#include "runtime/internal/posix_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/aligned_buffer.h"

namespace brook::runtime::internal {
namespace {

/// Parts that one pwritev takes; far below IOV_MAX, so that the array stands on the stack.
constexpr std::size_t kPartsPerCall = 256;
/// What a pool thread reads at a time to bring a range into the page cache.
constexpr std::size_t kResidencyPiece = 256UL * 1024;

std::unexpected<Error> failed(DiskErrors& errors, std::string_view action, const std::string& path,
                              std::uint64_t offset, int error) {
  return errors.fail(fmt::format("{} {} at {}", action, path, offset), path, error);
}

/// What a read from the page cache came to.
struct CachedRead {
  std::size_t size = 0;
  bool complete = false;  ///< all that was asked for, or the file ended; else the rest needs the disk
};

Result<CachedRead> read_cached(DiskErrors& errors, const OwnedFd& fd, const std::string& path,
                               std::uint64_t offset, MutableBytes to) {
  CachedRead read;
  while (read.size < to.size()) {
    iovec part{to.data() + read.size, to.size() - read.size};
    const ssize_t got = ::preadv2(fd.get(), &part, 1, static_cast<off_t>(offset + read.size), RWF_NOWAIT);
    if (got > 0) {
      read.size += static_cast<std::size_t>(got);
    } else if (got == 0) {
      break;
    } else if (errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS) {
      return read;
    } else if (errno != EINTR) {
      return failed(errors, "read", path, offset + read.size, errno);
    }
  }
  read.complete = true;
  return read;
}

Result<std::size_t> read_blocking(DiskErrors& errors, const OwnedFd& fd, const std::string& path,
                                  std::uint64_t offset, MutableBytes to) {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got =
        ::pread(fd.get(), to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return failed(errors, "read", path, offset + done, errno);
    }
  }
  return done;
}

Result<void> sync_data(DiskErrors& errors, const OwnedFd& fd, const std::string& path) {
  // Not repeated after an error: the kernel reports a lost page once, and a second call would claim success.
  if (::fdatasync(fd.get()) != 0) return errors.fail(fmt::format("sync {}", path), path, errno);
  return {};
}

}  // namespace

PosixFile::PosixFile(FilePool& pool, std::shared_ptr<DiskErrors> errors, std::string path,
                     std::shared_ptr<const OwnedFd> fd)
    : pool_(pool), errors_(std::move(errors)), path_(std::move(path)), fd_(std::move(fd)) {}

Result<std::uint64_t> PosixFile::size() const {
  struct stat status{};
  if (::fstat(fd(), &status) != 0)
    return errors_->fail(fmt::format("get the size of {}", path_), path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> PosixFile::write_at(std::uint64_t offset, std::span<const ByteView> parts) {
  std::size_t skip = 0;  // Bytes of parts.front() that are already written.
  while (!parts.empty()) {
    if (parts.front().size() == skip) {
      parts = parts.subspan(1);
      skip = 0;
      continue;
    }
    std::array<iovec, kPartsPerCall> vectors;
    const std::size_t count = std::min(parts.size(), vectors.size());
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView part = i == 0 ? parts[i].subspan(skip) : parts[i];
      vectors[i] = {const_cast<std::byte*>(part.data()), part.size()};
    }
    const ssize_t written =
        ::pwritev(fd(), vectors.data(), static_cast<int>(count), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return failed(*errors_, "write", path_, offset, errno);
    }
    offset += static_cast<std::uint64_t>(written);
    skip += static_cast<std::size_t>(written);
    while (!parts.empty() && skip >= parts.front().size()) {
      skip -= parts.front().size();
      parts = parts.subspan(1);
    }
  }
  return {};
}

Task<Result<std::size_t>> PosixFile::read_at(std::uint64_t offset, MutableBytes to) {
  BROOK_CO_TRY(const CachedRead cached, read_cached(*errors_, *fd_, path_, offset, to));
  if (cached.complete) co_return cached.size;
  const std::uint64_t rest = offset + cached.size;
  auto work = [fd = fd_, errors = errors_, path = path_, rest, room = to.subspan(cached.size)] {
    return read_blocking(*errors, *fd, path, rest, room);
  };
  BROOK_CO_TRY(const std::size_t more, co_await pool_.run(std::move(work)));
  co_return cached.size + more;
}

Result<std::size_t> PosixFile::read_at_blocking(std::uint64_t offset, MutableBytes to) {
  return read_blocking(*errors_, *fd_, path_, offset, to);
}

Result<void> PosixFile::truncate(std::uint64_t size) {
  int outcome = 0;
  do {
    outcome = ::ftruncate(fd(), static_cast<off_t>(size));
  } while (outcome != 0 && errno == EINTR);
  if (outcome != 0) return failed(*errors_, "truncate", path_, size, errno);
  return {};
}

Task<Result<void>> PosixFile::allocate(std::uint64_t size) {
  auto work = [fd = fd_, errors = errors_, path = path_, size]() -> Result<void> {
    int error = 0;
    do {
      error = ::posix_fallocate(fd->get(), 0, static_cast<off_t>(size));
    } while (error == EINTR);
    if (error != 0) return errors->fail(fmt::format("give {} bytes to {}", size, path), path, error);
    return {};
  };
  return pool_.run(std::move(work));
}

Task<Result<void>> PosixFile::sync() {
  auto work = [fd = fd_, errors = errors_, path = path_] { return sync_data(*errors, *fd, path); };
  return pool_.run(std::move(work));
}

Result<void> PosixFile::sync_blocking() { return sync_data(*errors_, *fd_, path_); }

Task<Result<void>> PosixFile::make_resident(std::uint64_t offset, std::uint64_t size) {
  if (size == 0) co_return Result<void>();
  // The kernel reads ahead in one piece, so both ends in the cache mean the middle too, nearly always.
  std::byte probe{};
  BROOK_CO_TRY(const CachedRead first, read_cached(*errors_, *fd_, path_, offset, {&probe, 1}));
  BROOK_CO_TRY(const CachedRead last, read_cached(*errors_, *fd_, path_, offset + size - 1, {&probe, 1}));
  if (first.size == 1 && last.size == 1) co_return Result<void>();
  auto work = [fd = fd_, errors = errors_, path = path_, offset, size]() -> Result<void> {
    const AlignedBuffer scratch(std::min<std::size_t>(size, kResidencyPiece));
    for (std::uint64_t done = 0; done < size;) {
      const std::size_t piece = std::min<std::size_t>(scratch.size(), size - done);
      BROOK_TRY(const std::size_t got,
                read_blocking(*errors, *fd, path, offset + done, scratch.bytes().first(piece)));
      if (got < piece) {
        return fail(ErrorCode::kKafkaStorageError,
                    fmt::format("cannot read {} at {}: the file ends there", path, offset + done + got));
      }
      done += got;
    }
    return {};
  };
  Result<void> done = co_await pool_.run(std::move(work));
  co_return done;
}

}  // namespace brook::runtime::internal
