#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "keeper/tree.h"
#include "runtime/file.h"

/// The whole tree in one file, which is replaced and never changed:
///
///   "BKSN" version:u32 = 1  zxid:i64  count:u64  node*  crc32c:u32     the CRC covers all before it; nodes:
///   internal/encoding.h
namespace brook::keeper {

[[nodiscard]] std::string encode_snapshot(const Tree& tree);
/// Into an empty tree. KAFKA_STORAGE_ERROR where the bytes are damaged.
[[nodiscard]] Result<void> decode_snapshot(std::string_view bytes, Tree& tree);

/// A missing file is an empty tree.
[[nodiscard]] Result<void> load_snapshot(runtime::FileSystem& files, const std::string& directory,
                                         Tree& tree);
/// On disk and in place when it returns; until then the old one is. `files` outlives the call.
[[nodiscard]] Task<Result<void>> store_snapshot(runtime::FileSystem& files, std::string directory,
                                                std::string bytes);

}  // namespace brook::keeper
