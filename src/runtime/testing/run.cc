#include "runtime/testing/run.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

namespace brook::runtime::testing {
namespace {

Task<int> then_zero(std::function<Task<void>(Host&)>& body, Host& host) {
  co_await body(host);
  co_return 0;
}

}  // namespace

void run_on_host(std::size_t shards, std::function<Task<void>(Host&)> body) {
  const std::unique_ptr<Host> host = make_host({.shards = shards, .file_threads = 2});
  (void)host->run([&body](Host& running) { return then_zero(body, running); });
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "brook-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace brook::runtime::testing
