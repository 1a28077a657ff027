#include "runtime/internal/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "runtime/aligned_buffer.h"
#include "runtime/internal/owned_fd.h"
#include "runtime/internal/posix_file.h"
#include "runtime/internal/process_lookup.h"

namespace brook::runtime::internal {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr std::size_t kReadPiece = 64UL * 1024;

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateOrEmpty:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

Result<OwnedFd> open_fd(DiskErrors& errors, const std::string& path, int flags) {
  while (true) {
    OwnedFd fd(::open(path.c_str(), flags | O_CLOEXEC, kFileMode));
    if (fd) return fd;
    if (errno != EINTR) return errors.fail(fmt::format("open {}", path), path, errno);
  }
}

/// A lock of an open file description (fcntl(2), F_OFD_SETLK): two openings in one process exclude each other
/// too, and it stands against the fcntl locks that Apache Kafka's FileChannel.tryLock() takes on the same
/// file.
class OfdLock final : public FileLock {
 public:
  explicit OfdLock(OwnedFd fd) : fd_(std::move(fd)) {}

 private:
  OwnedFd fd_;  // Closing it releases the lock. The file stays: removing it would race with the next holder.
};

struct flock whole_file() {
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

/// The soft limit of open files, after it was set to the hard one: the soft one is low for programs that use
/// select(), which this is not.
std::size_t raised_open_limit() {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return static_cast<std::size_t>(limit.rlim_cur);
}

Result<void> sync_of_directory(DiskErrors& errors, const std::string& path) {
  BROOK_TRY(const OwnedFd fd, open_fd(errors, path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return errors.fail(fmt::format("sync directory {}", path), path, errno);
  return {};
}

/// Writes `path`.tmp and renames it over `path`.
Result<void> replace(DiskErrors& errors, const std::string& path, std::string_view content, bool durable) {
  const std::string draft = path + ".tmp";
  {
    BROOK_TRY(const OwnedFd fd, open_fd(errors, draft, O_WRONLY | O_CREAT | O_TRUNC));
    while (!content.empty()) {
      const ssize_t written = ::write(fd.get(), content.data(), content.size());
      if (written >= 0) {
        content.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        return errors.fail(fmt::format("write {}", draft), path, errno);
      }
    }
    if (durable && ::fdatasync(fd.get()) != 0) return errors.fail(fmt::format("sync {}", draft), path, errno);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0)
    return errors.fail(fmt::format("rename {} to {}", draft, path), path, errno);
  if (!durable) return {};
  const std::string parent = std::filesystem::path(path).parent_path().string();
  BROOK_TRY(const OwnedFd directory, open_fd(errors, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY));
  if (::fsync(directory.get()) != 0)
    return errors.fail(fmt::format("sync directory {}", parent), path, errno);
  return {};
}

std::string lock_holder(const OwnedFd& fd, const std::string& path) {
  struct flock range = whole_file();
  if (::fcntl(fd.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK && range.l_pid > 0) {
    return process_name(range.l_pid);
  }
  return process_with_open_file(path);  // The holder is an open file description, which has no pid.
}

}  // namespace

PosixFileSystem::PosixFileSystem(FilePool& pool, FilePool& background)
    : pool_(pool),
      background_(background),
      open_(std::make_shared<std::atomic<std::size_t>>(0)),
      open_max_(raised_open_limit() / 4 * 3) {}

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode) {
  BROOK_TRY(OwnedFd fd, open_fd(*errors_, path, flags_of(mode)));
  open_->fetch_add(1, std::memory_order_relaxed);
  const std::shared_ptr<const OwnedFd> counted(new OwnedFd(std::move(fd)),
                                               [count = open_](const OwnedFd* own) {
                                                 delete own;
                                                 count->fetch_sub(1, std::memory_order_relaxed);
                                               });
  return std::make_unique<PosixFile>(pool_, errors_, path, counted);
}

Task<Result<std::unique_ptr<File>>> PosixFileSystem::open_on_pool(std::string path, OpenMode mode) {
  return pool_.run([this, path = std::move(path), mode] { return open(path, mode); });
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::list(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), &::closedir);
  if (!stream) return errors_->fail(fmt::format("list {}", directory), directory, errno);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status{};
    if (::fstatat(::dirfd(stream.get()), name.c_str(), &status, 0) != 0) {
      if (errno == ENOENT) continue;  // Removed meanwhile, or a dangling link.
      return errors_->fail(fmt::format("look at {}/{}", directory, name), directory, errno);
    }
    const bool is_directory = S_ISDIR(status.st_mode);
    const std::uint64_t size = is_directory ? 0 : static_cast<std::uint64_t>(status.st_size);
    entries.push_back({std::move(name), is_directory, size});
  }
  if (errno != 0) return errors_->fail(fmt::format("list {}", directory), directory, errno);
  return entries;
}

bool PosixFileSystem::exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<void> PosixFileSystem::create_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return errors_->fail(fmt::format("create directory {}", path), path, error.value());
  return {};
}

Result<void> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return errors_->fail(fmt::format("rename {} to {}", from, to), from, errno);
  return {};
}

Result<void> PosixFileSystem::remove(const std::string& path) {
  if (::remove(path.c_str()) != 0 && errno != ENOENT)
    return errors_->fail(fmt::format("remove {}", path), path, errno);
  return {};
}

Task<Result<void>> PosixFileSystem::remove_tree(const std::string& path) {
  auto work = [path, errors = errors_]() -> Result<void> {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return errors->fail(fmt::format("remove {} and what is in it", path), path, error.value());
    return {};
  };
  return background_.run(std::move(work));
}

Result<void> PosixFileSystem::sync_directory(const std::string& path) {
  return sync_of_directory(*errors_, path);
}

Task<Result<void>> PosixFileSystem::sync_directory_on_pool(std::string path) {
  return pool_.run([path = std::move(path), errors = errors_] { return sync_of_directory(*errors, path); });
}

Result<std::string> PosixFileSystem::read_whole(const std::string& path) {
  BROOK_TRY(const OwnedFd fd, open_fd(*errors_, path, O_RDONLY));
  const AlignedBuffer piece(kReadPiece);
  std::string content;
  while (true) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got == 0) return content;
    if (got > 0) {
      content += as_chars(piece.bytes().first(static_cast<std::size_t>(got)));
    } else if (errno != EINTR) {
      return errors_->fail(fmt::format("read {} at {}", path, content.size()), path, errno);
    }
  }
}

Result<void> PosixFileSystem::replace_whole(const std::string& path, std::string_view content) {
  return replace(*errors_, path, content, true);
}

Task<Result<void>> PosixFileSystem::replace_whole_on_pool(std::string path, std::string content) {
  auto work = [path = std::move(path), content = std::move(content), errors = errors_] {
    return replace(*errors, path, content, true);
  };
  return pool_.run(std::move(work));
}

Result<void> PosixFileSystem::replace_whole_unsynced(const std::string& path, std::string_view content) {
  return replace(*errors_, path, content, false);
}

Task<Result<void>> PosixFileSystem::sync_file_system(std::string path) {
  auto work = [path = std::move(path), errors = errors_]() -> Result<void> {
    BROOK_TRY(const OwnedFd fd, open_fd(*errors, path, O_RDONLY));
    if (::syncfs(fd.get()) != 0)
      return errors->fail(fmt::format("sync the file system of {}", path), path, errno);
    return {};
  };
  return pool_.run(std::move(work));
}

Task<void> PosixFileSystem::run_in_background(std::move_only_function<void()> work) {
  co_await background_.run([&work] {
    work();
    return true;
  });
}

std::string PosixFileSystem::cache_life() {
  auto boot = read_whole("/proc/sys/kernel/random/boot_id");
  if (!boot) return {};
  while (boot->ends_with('\n')) boot->pop_back();
  return *std::move(boot);
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  BROOK_TRY(OwnedFd fd, open_fd(*errors_, path, O_RDWR | O_CREAT));
  struct flock range = whole_file();
  if (::fcntl(fd.get(), F_OFD_SETLK, &range) == 0) return std::make_unique<OfdLock>(std::move(fd));
  if (errno != EAGAIN && errno != EACCES) return errors_->fail(fmt::format("lock {}", path), path, errno);
  const std::string holder = lock_holder(fd, path);
  return fail(ErrorCode::kKafkaStorageError,
              fmt::format("cannot lock {}: {} holds it", path, holder.empty() ? "another process" : holder));
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0)
    return errors_->fail(fmt::format("get the free space of {}", path), path, errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<std::uint64_t> PosixFileSystem::total_bytes(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0)
    return errors_->fail(fmt::format("get the free space of {}", path), path, errno);
  return static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize;
}

}  // namespace brook::runtime::internal
