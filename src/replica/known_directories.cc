#include "replica/known_directories.h"

#include <fmt/core.h>

#include <optional>
#include <string_view>

#include "base/log.h"

namespace brook::replica {

Result<KnownDirectories> read_known_directories(runtime::FileSystem& files, const std::string& file) {
  KnownDirectories known;
  if (!files.exists(file)) return known;
  BROOK_TRY(const std::string text, files.read_whole(file));
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    const std::size_t space = line.find(' ');  // Paths may have more.
    const auto id = Uuid::parse(line.substr(0, space));
    if (space == std::string_view::npos || !id) {
      log::warn("known_directory_unreadable", {{"file", file}, {"line", line}});
      continue;
    }
    known[std::string(line.substr(space + 1))] = *id;
  }
  return known;
}

Result<void> write_known_directories(runtime::FileSystem& files, const std::string& file,
                                     const KnownDirectories& directories) {
  std::string text;
  for (const auto& [path, id] : directories) text += fmt::format("{} {}\n", id.text(), path);
  return files.replace_whole(file, text);
}

}  // namespace brook::replica
