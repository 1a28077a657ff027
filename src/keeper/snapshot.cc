#include "keeper/snapshot.h"

#include <fmt/format.h>

#include <utility>

#include "base/crc32c.h"
#include "keeper/internal/encoding.h"

namespace brook::keeper {
namespace {

constexpr std::uint32_t kMagic = 0x424b534e;  // "BKSN"
constexpr std::uint32_t kVersion = 1;

std::string snapshot_path(const std::string& directory) { return directory + "/snapshot"; }

}  // namespace

std::string encode_snapshot(const Tree& tree) {
  internal::Writer writer;
  writer.integer(kMagic);
  writer.integer(kVersion);
  writer.integer(tree.last_zxid().value());
  writer.integer(static_cast<std::uint64_t>(tree.node_count()));
  tree.visit(
      [&](const std::string& path, const Tree::Node& node) { internal::write_node(writer, path, node); });
  writer.integer(crc32c(as_bytes(writer.out())));
  return std::move(writer.out());
}

Result<void> decode_snapshot(std::string_view bytes, Tree& tree) {
  const auto damaged = [](std::string_view why) {
    return fail(ErrorCode::kKafkaStorageError, fmt::format("the keeper's snapshot is damaged: {}", why));
  };
  constexpr std::size_t kSmallest = 28;
  if (bytes.size() < kSmallest) return damaged("it is too short");
  const std::string_view body = bytes.substr(0, bytes.size() - 4);
  if (crc32c(as_bytes(body)) != load_be<std::uint32_t>(as_bytes(bytes).data() + body.size()))
    return damaged("its CRC is wrong");
  internal::Reader reader(body);
  if (reader.integer<std::uint32_t>() != kMagic) return damaged("it is no snapshot");
  if (const auto version = reader.integer<std::uint32_t>(); version != kVersion) {
    return damaged(fmt::format("its version {} is unknown", version));
  }
  tree.set_last_zxid(Zxid(reader.integer<std::int64_t>()));
  for (auto left = reader.integer<std::uint64_t>(); left > 0; --left) {
    std::string path;
    Tree::Node node = internal::read_node(reader, path);
    if (!reader.ok() || !tree.restore(std::move(path), std::move(node)))
      return damaged("its nodes make no tree");
  }
  if (!reader.at_end()) return damaged("bytes follow its last node");
  return {};
}

Result<void> load_snapshot(runtime::FileSystem& files, const std::string& directory, Tree& tree) {
  if (!files.exists(snapshot_path(directory))) return {};
  BROOK_TRY(const std::string bytes, files.read_whole(snapshot_path(directory)));
  return decode_snapshot(bytes, tree);
}

Task<Result<void>> store_snapshot(runtime::FileSystem& files, std::string directory, std::string bytes) {
  const std::string path = snapshot_path(directory);
  const std::string fresh = path + ".tmp";
  BROOK_CO_TRY(const auto file, files.open(fresh, runtime::OpenMode::kCreateOrEmpty));
  const ByteView parts[] = {as_bytes(bytes)};
  BROOK_CO_CHECK(file->write_at(0, parts));
  Result<void> synced = co_await file->sync();
  if (!synced) co_return synced;
  BROOK_CO_CHECK(files.rename(fresh, path));
  co_return files.sync_directory(directory);
}

}  // namespace brook::keeper
