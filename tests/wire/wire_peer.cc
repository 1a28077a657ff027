// The C++ side of the comparison with Apache Kafka's message classes; run.py describes the stream of cases.
//
//   wire_peer list                   messages, APIs and their versions, one a line
//   wire_peer generate COUNT SEED    random cases per message version, to the standard output
//   wire_peer seeds FOLDER           an input for protocol_fuzz per message, in its last version
//   wire_peer check                  cases from the standard input, done with our code
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "base/bytes.h"
#include "entry.h"
#include "protocol/api.h"

namespace brook::protocol::wire {

namespace {

constexpr int kMaxComplaints = 20;
constexpr std::size_t kMaxSeedSize = 300;

/// As protocol_fuzz takes it: the message's place in the table (two bytes), its version from the first on,
/// its bytes.
std::string seed(std::size_t index, int version, std::string_view bytes) {
  std::string out;
  out += static_cast<char>(index >> 8U);
  out += static_cast<char>(index);
  out += static_cast<char>(version);
  return out.append(bytes);
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// What a program does with a stream that is torn.
[[noreturn]] void torn() {
  fmt::print("the stream of cases is torn\n");
  std::exit(2);
}

void put(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) std::exit(2);
}

template <class T>
void put_number(T value) {
  std::array<std::byte, sizeof(T)> raw;
  store_be(raw.data(), value);
  put(as_chars(raw));
}

std::string get(std::size_t size) {
  std::string out(size, '\0');
  if (std::fread(out.data(), 1, size, stdin) != size) torn();
  return out;
}

template <class T>
T get_number() {
  const std::string raw = get(sizeof(T));
  return load_be<T>(as_bytes(raw).data());
}

int list() {
  for (const Entry& entry : all_entries()) {
    fmt::print("message {} {} {}\n", entry.name, entry.min_version, entry.max_version);
    for (std::int16_t v = entry.min_version; v <= entry.max_version; ++v) {
      const auto made = entry.default_case(v);
      fmt::print("default {} {} {}\n", entry.name, v, made ? hex(made->to) : "refused");
    }
  }
  for (const ApiInfo& api : apis()) {
    for (std::int16_t v = api.min_version; v <= api.max_version; ++v) {
      fmt::print("api {} {} {} {} {}\n", static_cast<int>(api.key), api.name, v,
                 request_header_version(api, v), response_header_version(api, v));
    }
    fmt::print("advertised {} {} {}\n", static_cast<int>(api.key), api.advertised_min, api.advertised_max);
  }
  return 0;
}

int generate(int count, std::uint64_t seed) {
  Random random(seed);
  for (const Entry& entry : all_entries()) {
    for (std::int16_t version = entry.min_version; version <= entry.max_version; ++version) {
      for (int i = 0; i < count; ++i) {
        const auto span = static_cast<std::uint64_t>(entry.max_version - entry.min_version + 1);
        const auto to =
            random.one_in(4)
                ? static_cast<std::int16_t>(entry.min_version + static_cast<int>(random.below(span)))
                : version;
        const auto made = entry.random_case(random, version, to);
        if (!made) {
          fmt::print(stderr, "{} v{}: {}\n", entry.name, version, made.error().context);
          return 1;
        }
        put_number(static_cast<std::uint16_t>(made->name.size()));
        put(made->name);
        put_number(made->read_version);
        put_number(made->write_version);
        put_number(static_cast<std::int32_t>(made->from.size()));
        put(made->from);
        put_number(made->refused ? std::int32_t{-1} : static_cast<std::int32_t>(made->to.size()));
        put(made->to);
        put_number(static_cast<std::int32_t>(made->size));
      }
    }
  }
  return std::fflush(stdout) == 0 ? 0 : 2;
}

int seeds(const std::string& folder) {
  Random random(1);
  const std::vector<Entry> all = all_entries();
  for (std::size_t i = 0; i < all.size(); ++i) {
    Result<Case> made = fail(ErrorCode::kUnknownServerError, "not made yet");
    do made = all[i].random_case(random, all[i].max_version, all[i].max_version);
    while (made && made->from.size() > kMaxSeedSize);
    if (!made) return 1;
    std::FILE* file = std::fopen((folder + "/" + made->name).c_str(), "wb");
    if (file == nullptr) return 2;
    const std::string input = seed(i, all[i].max_version - all[i].min_version, made->from);
    const bool written = std::fwrite(input.data(), 1, input.size(), file) == input.size();
    if (std::fclose(file) != 0 || !written) return 2;
  }
  return 0;
}

std::string judge(const Entry& entry, const Case& kafka) {
  const auto ours = entry.transcode(as_bytes(kafka.from), kafka.read_version, kafka.write_version);
  if (!ours) return "not read: " + ours.error().context;
  if (ours->refused != kafka.refused)
    return ours->refused ? "brook refuses" : "kafka refuses, brook writes " + hex(ours->to);
  if (ours->to != kafka.to) return "brook writes " + hex(ours->to);
  return ours->size == kafka.size ? "" : fmt::format("size {}, kafka says {}", ours->size, kafka.size);
}

int check() {
  std::map<std::string_view, Entry> entries;
  const std::vector<Entry> all = all_entries();
  for (const Entry& entry : all) entries.emplace(entry.name, entry);
  long cases = 0;
  long refusals = 0;
  int wrong = 0;
  for (int first = std::getc(stdin); first != EOF; first = std::getc(stdin)) {
    const int second = std::getc(stdin);
    if (second == EOF) torn();
    Case kafka;
    kafka.name = get(static_cast<std::size_t>(first) << 8U | static_cast<std::size_t>(second));
    kafka.read_version = get_number<std::int16_t>();
    kafka.write_version = get_number<std::int16_t>();
    kafka.from = get(static_cast<std::size_t>(get_number<std::int32_t>()));
    const auto size = get_number<std::int32_t>();
    kafka.refused = size < 0;
    if (!kafka.refused) kafka.to = get(static_cast<std::size_t>(size));
    kafka.size = get_number<std::int32_t>();
    ++cases;
    if (kafka.refused) ++refusals;
    const auto entry = entries.find(kafka.name);
    const std::string complaint = entry == entries.end() ? "unknown message" : judge(entry->second, kafka);
    if (!complaint.empty() && ++wrong <= kMaxComplaints) {
      fmt::print("{} v{} to v{}: {}\n  from {}\n  to   {}\n", kafka.name, kafka.read_version,
                 kafka.write_version, complaint, hex(kafka.from), kafka.refused ? "refused" : hex(kafka.to));
    }
  }
  fmt::print("brook checked {} cases of kafka ({} refusals): {} wrong\n", cases, refusals, wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace brook::protocol::wire

int main(int argc, char** argv) {
  using namespace brook::protocol::wire;
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "list") return list();
  if (command == "check") return check();
  if (command == "seeds" && argc == 3) return seeds(argv[2]);
  if (command == "generate" && argc == 4)
    return generate(std::atoi(argv[2]), std::strtoull(argv[3], nullptr, 10));
  fmt::print(stderr, "usage: wire_peer list | check | seeds FOLDER | generate COUNT SEED\n");
  return 2;
}
