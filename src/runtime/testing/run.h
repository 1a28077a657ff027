#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "runtime/host.h"
#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::runtime::testing {

/// Runs `body` on shard 0 of a real host with `shards` threads until it and all gates have ended. `body` may
/// be a capturing lambda that is a coroutine: it lives until then.
void run_on_host(std::size_t shards, std::function<Task<void>(Host&)> body);

namespace internal {

template <class T>
Task<void> store_result(std::function<Task<T>(Shard&)>& body, Shard& shard, std::optional<T>& result) {
  result.emplace(co_await body(shard));
}

}  // namespace internal

/// Runs `body` on a real host of one shard and returns its result:
///   run<int>([](Shard& shard) -> Task<int> { … });
template <class T>
T run(std::function<Task<T>(Shard&)> body) {
  std::optional<T> result;
  run_on_host(1, [&](Host& host) { return internal::store_result(body, host.shard(0), result); });
  return std::move(*result);
}
template <>
inline void run<void>(std::function<Task<void>(Shard&)> body) {
  run_on_host(1, [&](Host& host) { return body(host.shard(0)); });
}

/// An empty directory below the system's place for temporary files; removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace brook::runtime::testing
