#include "runtime/simulated/simulated_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/shard.h"

namespace brook::runtime::simulated {
namespace {

using namespace std::chrono_literals;

constexpr Duration kDelayLeast = 50us;
constexpr Duration kDelayMost = 3ms;

std::unexpected<Error> storage_failed(std::string_view what, const std::string& path, std::string_view why) {
  return fail(ErrorCode::kKafkaStorageError, fmt::format("cannot {} {}: {}", what, path, why));
}

constexpr std::string_view kNoSuchFile = "No such file or directory";
constexpr std::string_view kDiskFull = "No space left on device";

}  // namespace

class SimulatedFileSystem::SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedFileSystem& files, std::string path, DiskNode::Ptr node)
      : files_(files), path_(std::move(path)), node_(std::move(node)), open_(files.open_) {
    ++*open_;
  }
  ~SimulatedFile() override { --*open_; }

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] Result<std::uint64_t> size() const override {
    BROOK_CHECK(files_.check_alive());
    return std::uint64_t{node_->data.content().size()};
  }

  [[nodiscard]] Result<void> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
    std::vector<std::byte> bytes;
    for (const ByteView part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
    BROOK_CHECK(files_.check_alive());
    FileData& data = node_->data;
    const auto partly = [&] {
      data.write(offset, ByteView(bytes).first(files_.world_.draw(bytes.size() + 1)));
    };
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t grows = end > data.content().size() ? end - data.content().size() : 0;
    const std::uint64_t used = files_.disk_.used();
    if (grows > 0 && used + grows > files_.disk_.capacity()) {
      partly();
      return storage_failed("write", path_, kDiskFull);
    }
    return files_.change("write", path_, files_.disk_.faults.write_error, partly,
                         [&] { data.write(offset, bytes); });
  }

  [[nodiscard]] Task<Result<std::size_t>> read_at(std::uint64_t offset, MutableBytes to) override {
    const DiskNode::Ptr node = node_;
    SimulatedFileSystem& files = files_;
    const std::string path = path_;
    const bool cached = files.world_.draw(4) != 0;
    if (!cached) co_await files.wait();
    co_return files.read(*node, path, offset, to, !cached);
  }

  [[nodiscard]] Result<std::size_t> read_at_blocking(std::uint64_t offset, MutableBytes to) override {
    return files_.read(*node_, path_, offset, to, true);
  }

  [[nodiscard]] Result<void> truncate(std::uint64_t size) override {
    const auto wholly = [&] { node_->data.truncate(size); };
    return files_.change("truncate", path_, files_.disk_.faults.write_error, [] {}, wholly);
  }

  [[nodiscard]] Task<Result<void>> allocate(std::uint64_t size) override {
    co_await files_.wait();
    const std::uint64_t had = node_->data.content().size();
    if (size <= had) co_return Result<void>{};
    if (files_.disk_.used() + (size - had) > files_.disk_.capacity())
      co_return storage_failed("give blocks to", path_, kDiskFull);
    co_return files_.change(
        "allocate", path_, files_.disk_.faults.write_error, [] {},
        [&] { node_->data.write(had, std::vector<std::byte>(size - had)); });
  }

  [[nodiscard]] Task<Result<void>> sync() override {
    const DiskNode::Ptr node = node_;
    SimulatedFileSystem& files = files_;
    const std::string path = path_;
    const std::uint64_t begun = node->data.changed();
    co_await files.wait();
    co_return files.sync_data(node, path, begun);
  }

  [[nodiscard]] Result<void> sync_blocking() override {
    files_.world_.pass(files_.delay());
    return files_.sync_data(node_, path_, node_->data.changed());
  }

 private:
  SimulatedFileSystem& files_;
  std::string path_;
  DiskNode::Ptr node_;
  std::shared_ptr<std::size_t> open_;
};

/// Held until it dies, or its process does.
class SimulatedFileSystem::SimulatedLock final : public FileLock {
 public:
  SimulatedLock(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ~SimulatedLock() override { disk_.locks().erase(path_); }

 private:
  Disk& disk_;
  std::string path_;
};

Result<void> SimulatedFileSystem::check_alive() const {
  if (life_->alive) return {};
  return fail(ErrorCode::kKafkaStorageError, "the process is dead");
}

std::unexpected<Error> SimulatedFileSystem::io_failed(std::string_view what, const std::string& path) const {
  std::unexpected<Error> failure = storage_failed(what, path, "Input/output error");
  if (observer_) observer_(path, failure.error().context);
  return failure;
}

Result<void> SimulatedFileSystem::change(std::string_view what, const std::string& path, double error,
                                         const std::function<void()>& partly,
                                         const std::function<void()>& wholly) {
  BROOK_CHECK(check_alive());
  world_.trace(what);
  world_.trace(path);
  if (world_.chance(error)) {
    partly();
    return io_failed(what, path);
  }
  disk_.change(partly, wholly);
  return check_alive();
}

Duration SimulatedFileSystem::delay() {
  if (world_.chance(disk_.faults.slow)) return world_.draw(kDelayMost, disk_.faults.slow_most);
  return world_.draw(kDelayLeast, kDelayMost);
}

Task<void> SimulatedFileSystem::wait() {
  Clock& clock = Shard::current()->clock();
  co_await clock.sleep_until(world_.now() + delay());
}

Result<std::size_t> SimulatedFileSystem::read(const DiskNode& node, const std::string& path,
                                              std::uint64_t offset, MutableBytes to, bool from_disk) {
  BROOK_CHECK(check_alive());
  if (from_disk && world_.chance(disk_.faults.read_error)) return io_failed("read", path);
  const ByteView content = node.data.content();
  if (offset >= content.size()) return std::size_t{0};
  const ByteView found = content.subspan(offset, std::min<std::size_t>(to.size(), content.size() - offset));
  copy_bytes(to, found);
  if (from_disk && !found.empty() && world_.chance(disk_.faults.flipped_bit)) {
    to[world_.draw(found.size())] ^= std::byte{static_cast<unsigned char>(1U << world_.draw(8))};
  }
  return found.size();
}

Result<void> SimulatedFileSystem::sync_data(const DiskNode::Ptr& node, const std::string& path,
                                            std::uint64_t changed) {
  BROOK_CHECK(check_alive());
  if (world_.chance(disk_.faults.sync_error) || std::exchange(node->sync_error_untold, false)) {
    node->data.lose_changes(changed, world_);
    disk_.count_failed_sync();
    return io_failed("sync", path);
  }
  return change("sync", path, 0, [] {}, [&] { node->data.make_durable(changed); });
}

Result<void> SimulatedFileSystem::sync_entries(const DiskNode::Ptr& node, const std::string& path,
                                               std::uint64_t changed) {
  BROOK_CHECK(check_alive());
  if (world_.chance(disk_.faults.sync_error)) {
    disk_.count_failed_sync();
    return io_failed("sync directory", path);
  }
  return change("sync directory", path, 0, [] {}, [&] { node->make_entries_durable(changed); });
}

Result<std::unique_ptr<File>> SimulatedFileSystem::open(const std::string& path, OpenMode mode) {
  BROOK_CHECK(check_alive());
  DiskNode::Ptr node = disk_.find(path);
  if (node && node->is_directory) return storage_failed("open", path, "Is a directory");
  const bool makes = mode == OpenMode::kCreate || mode == OpenMode::kCreateOrEmpty;
  if (!node && makes) {
    const Disk::Place place = disk_.place_of(path);
    if (!place.directory) return storage_failed("open", path, kNoSuchFile);
    node = std::make_shared<DiskNode>();
    BROOK_CHECK(change_entry("create", path, [&] { place.directory->change_entry({place.name, node, {}}); }));
  } else if (!node) {
    return storage_failed("open", path, kNoSuchFile);
  } else if (mode == OpenMode::kCreateOrEmpty && !node->data.content().empty()) {
    BROOK_CHECK(change_entry("empty", path, [&] { node->data.truncate(0); }));
  }
  return std::make_unique<SimulatedFile>(*this, path, std::move(node));
}

Result<std::vector<DirectoryEntry>> SimulatedFileSystem::list(const std::string& directory) {
  BROOK_CHECK(check_alive());
  const DiskNode::Ptr node = disk_.find(directory);
  if (!node || !node->is_directory) return storage_failed("list", directory, kNoSuchFile);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->entries)
    entries.push_back({name, child->is_directory, child->data.content().size()});
  // In any order, as a file system lists them.
  for (std::size_t i = entries.size(); i > 1; --i) std::swap(entries[i - 1], entries[world_.draw(i)]);
  return entries;
}

bool SimulatedFileSystem::exists(const std::string& path) { return disk_.find(path) != nullptr; }

Result<void> SimulatedFileSystem::create_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!disk_.find(part)) {
      const Disk::Place place = disk_.place_of(part);
      const auto made = std::make_shared<DiskNode>();
      made->is_directory = true;
      BROOK_CHECK(change_entry("create directory", part,
                               [&] { place.directory->change_entry({place.name, made, {}}); }));
    }
    if (end == std::string::npos) return {};
  }
}

Result<void> SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
  BROOK_CHECK(check_alive());
  const DiskNode::Ptr node = disk_.find(from);
  const Disk::Place source = disk_.place_of(from);
  const Disk::Place target = disk_.place_of(to);
  if (!node || !target.directory) return storage_failed("rename", from, kNoSuchFile);
  if (source.directory != target.directory)
    return storage_failed("rename", from, "the simulation renames within one directory");
  const DiskNode::Ptr present = disk_.find(to);
  if (present && present->is_directory && !present->entries.empty())
    return storage_failed("rename", from, "Directory not empty");
  return change_entry("rename", from,
                      [&] { target.directory->change_entry({target.name, node, source.name}); });
}

Result<void> SimulatedFileSystem::remove_node(const std::string& path) {
  const Disk::Place place = disk_.place_of(path);
  return change_entry("remove", path, [&] { place.directory->change_entry({place.name, nullptr, {}}); });
}

Result<void> SimulatedFileSystem::remove(const std::string& path) {
  BROOK_CHECK(check_alive());
  const DiskNode::Ptr node = disk_.find(path);
  if (!node) return {};
  if (node->is_directory && !node->entries.empty())
    return storage_failed("remove", path, "Directory not empty");
  return remove_node(path);
}

Task<Result<void>> SimulatedFileSystem::remove_tree(const std::string& given) {
  const std::string path = given;
  co_await wait();
  co_return remove_all(path);
}

Result<void> SimulatedFileSystem::remove_all(const std::string& path) {
  const DiskNode::Ptr node = disk_.find(path);
  if (!node) return check_alive();
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  for (const std::string& name : names) BROOK_CHECK(remove_all(path + "/" + name));
  return remove_node(path);
}

Result<void> SimulatedFileSystem::sync_directory(const std::string& path) {
  const DiskNode::Ptr node = disk_.find(path);
  if (!node) return storage_failed("sync directory", path, kNoSuchFile);
  world_.pass(delay());
  return sync_entries(node, path, node->entries_changed);
}

Task<Result<void>> SimulatedFileSystem::sync_directory_on_pool(std::string path) {
  const DiskNode::Ptr node = disk_.find(path);
  if (!node) co_return storage_failed("sync directory", path, kNoSuchFile);
  const std::uint64_t changed = node->entries_changed;
  co_await wait();
  co_return sync_entries(node, path, changed);
}

Task<Result<std::unique_ptr<File>>> SimulatedFileSystem::open_on_pool(std::string path, OpenMode mode) {
  co_await wait();
  co_return open(path, mode);
}

Task<void> SimulatedFileSystem::run_in_background(std::move_only_function<void()> work) {
  co_await wait();
  work();
}

Result<std::string> SimulatedFileSystem::read_whole(const std::string& path) {
  const DiskNode::Ptr node = disk_.find(path);
  if (!node) return storage_failed("open", path, kNoSuchFile);
  std::vector<std::byte> bytes(node->data.content().size());
  BROOK_TRY(const std::size_t got, read(*node, path, 0, bytes, true));
  return to_string(ByteView(bytes).first(got));
}

Result<void> SimulatedFileSystem::write_draft(const std::string& draft, std::string_view content,
                                              bool durable) {
  BROOK_TRY(const auto file, open(draft, OpenMode::kCreateOrEmpty));
  const ByteView part = as_bytes(content);
  BROOK_CHECK(file->write_at(0, {&part, 1}));
  return durable ? file->sync_blocking() : Result<void>{};
}

Result<void> SimulatedFileSystem::replace_whole(const std::string& path, std::string_view content) {
  BROOK_CHECK(write_draft(path + ".tmp", content, true));
  BROOK_CHECK(rename(path + ".tmp", path));
  return sync_directory(path.substr(0, path.rfind('/')));
}

Task<Result<void>> SimulatedFileSystem::replace_whole_on_pool(std::string path, std::string content) {
  co_await wait();
  BROOK_CO_CHECK(write_draft(path + ".tmp", content, true));
  co_await wait();
  BROOK_CO_CHECK(rename(path + ".tmp", path));
  Result<void> synced = co_await sync_directory_on_pool(path.substr(0, path.rfind('/')));
  co_return synced;
}

Result<void> SimulatedFileSystem::replace_whole_unsynced(const std::string& path, std::string_view content) {
  BROOK_CHECK(write_draft(path + ".tmp", content, false));
  return rename(path + ".tmp", path);
}

Task<Result<void>> SimulatedFileSystem::sync_file_system(std::string path) {
  co_await wait();
  BROOK_CO_CHECK(check_alive());
  if (world_.chance(disk_.faults.sync_error)) {
    disk_.lose_all();
    disk_.count_failed_sync();
    co_return io_failed("sync the file system of", path);
  }
  co_return change("sync the file system of", path, 0, [] {}, [&] { disk_.sync_all(); });
}

std::string SimulatedFileSystem::cache_life() { return fmt::format("boot-{}", disk_.power_cuts()); }

Result<std::unique_ptr<FileLock>> SimulatedFileSystem::lock(const std::string& path) {
  BROOK_CHECK(open(path, OpenMode::kCreate));
  LifePtr& holder = disk_.locks()[path];
  if (holder && holder->alive) return storage_failed("lock", path, "another process holds it");
  holder = life_;
  return std::make_unique<SimulatedLock>(disk_, path);
}

Result<std::uint64_t> SimulatedFileSystem::free_bytes(const std::string& path) {
  static_cast<void>(path);
  BROOK_CHECK(check_alive());
  const std::uint64_t used = disk_.used();
  return used < disk_.capacity() ? disk_.capacity() - used : 0;
}

Result<std::uint64_t> SimulatedFileSystem::total_bytes(const std::string& path) {
  static_cast<void>(path);
  return disk_.capacity();
}

}  // namespace brook::runtime::simulated
