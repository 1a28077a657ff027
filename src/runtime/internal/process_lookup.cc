#include "runtime/internal/process_lookup.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <system_error>
#include <vector>

namespace brook::runtime::internal {
namespace {

namespace fs = std::filesystem;

/// The first process that has an open descriptor whose link in /proc/<pid>/fd satisfies `matches`; this one
/// only if no other has.
std::string find_process(const std::function<bool(const std::string&)>& matches) {
  std::error_code ignored;
  const std::string self = std::to_string(::getpid());
  bool self_matches = false;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string pid = process.path().filename().string();
    if (!std::ranges::all_of(pid, [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    std::error_code hidden;
    auto descriptors = fs::directory_iterator(process.path() / "fd", hidden);
    if (hidden) continue;  // Another user's process, or one that has just ended.
    for (; descriptors != fs::directory_iterator(); descriptors.increment(hidden)) {
      std::error_code gone;
      const std::string target = fs::read_symlink(descriptors->path(), gone).string();
      if (!gone && matches(target)) {
        if (pid != self) return process_name(std::stol(pid));
        self_matches = true;
      }
      if (hidden) break;
    }
  }
  return self_matches ? process_name(::getpid()) : std::string();
}

/// The inodes of sockets that listen on `port`, as /proc/net/tcp lists them (proc(5)).
void append_listeners(const char* table, std::uint16_t port, std::vector<std::string>& links) {
  constexpr unsigned kListen = 0x0a;
  std::ifstream lines(table);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    unsigned local_port = 0;
    unsigned state = 0;
    unsigned long inode = 0;
    const int found =
        std::sscanf(line.c_str(), " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                    &local_port, &state, &inode);
    if (found == 3 && local_port == port && state == kListen)
      links.push_back(fmt::format("socket:[{}]", inode));
  }
}

}  // namespace

std::string process_name(long pid) {
  std::ifstream comm(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(comm, name);
  return name.empty() ? fmt::format("pid {}", pid) : fmt::format("pid {} ({})", pid, name);
}

std::string process_listening_on(std::uint16_t port) {
  std::vector<std::string> links;
  append_listeners("/proc/net/tcp", port, links);
  append_listeners("/proc/net/tcp6", port, links);
  if (links.empty()) return {};
  return find_process(
      [&links](const std::string& link) { return std::ranges::find(links, link) != links.end(); });
}

std::string process_with_open_file(const std::string& path) {
  std::error_code unknown;
  const std::string canonical = fs::canonical(path, unknown).string();
  if (unknown) return {};
  return find_process([&canonical](const std::string& link) { return link == canonical; });
}

}  // namespace brook::runtime::internal
