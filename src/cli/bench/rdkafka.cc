#include "cli/bench/rdkafka.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <bit>

namespace brook::cli {
namespace {

constexpr auto kLibrary = "librdkafka.so.1";

std::string last_loader_error() {
  const char* text = ::dlerror();
  return text == nullptr ? "unknown reason" : text;
}

}  // namespace

Result<Rdkafka> Rdkafka::load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(
        ErrorCode::kInvalidRequest,
        fmt::format("the load generator needs librdkafka, which cannot be loaded ({}): install it, on "
                    "Debian with `apt-get install librdkafka1`",
                    last_loader_error()));
  }
  Rdkafka loaded;
#define BROOK_RDKAFKA_LOAD(name)                                                                       \
  loaded.rd_##name = std::bit_cast<decltype(&::rd_kafka_##name)>(::dlsym(library, "rd_kafka_" #name)); \
  if (loaded.rd_##name == nullptr) {                                                                   \
    return fail(ErrorCode::kInvalidRequest,                                                            \
                fmt::format("{} has no rd_kafka_" #name ": it is too old, 2.0 does", kLibrary));       \
  }
  BROOK_RDKAFKA_FUNCTIONS(BROOK_RDKAFKA_LOAD)
#undef BROOK_RDKAFKA_LOAD
  return loaded;
}

}  // namespace brook::cli
