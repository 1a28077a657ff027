// Every message decoder on hostile bytes. What is decoded must be encodable in the same version, have the
// size that it says, and be the same again after decoding. Input: two bytes choose the message (the table of
// tests/wire; all ones: a whole request frame, as the broker reads it), one its version, the rest is the
// message. Seeds: `wire_peer seeds FOLDER`.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "base/bytes.h"
#include "entry.h"
#include "protocol/headers.h"

namespace {

using brook::ByteView;
using brook::protocol::wire::Entry;

constexpr std::size_t kChoice = 3;
constexpr std::uint16_t kFrame = 0xffff;

void check(const Entry& entry, ByteView bytes, std::int16_t version) {
  const auto first = entry.transcode(bytes, version, version);
  if (!first) return;
  if (first->refused || first->size != static_cast<std::int64_t>(first->to.size())) std::abort();
  const auto second = entry.transcode(brook::as_bytes(first->to), version, version);
  if (!second || second->refused || second->to != first->to) std::abort();
}

void check_frame(const std::map<std::string, Entry, std::less<>>& requests, ByteView bytes) {
  brook::protocol::Reader in(bytes);
  const auto header = brook::protocol::decode_request_header(in);
  if (!header) return;
  const auto* api = brook::protocol::find_api(header->request_api_key);
  check(requests.at(std::string(api->name) + "Request"), in.rest(), header->request_api_version);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto entries = brook::protocol::wire::all_entries();
  static const auto by_name = [] {
    std::map<std::string, Entry, std::less<>> out;
    for (const Entry& entry : entries) out.emplace(entry.name, entry);
    return out;
  }();
  if (size < kChoice) return 0;
  const ByteView input = std::as_bytes(std::span(data, size));
  const auto choice = brook::load_be<std::uint16_t>(input.data());
  if (choice == kFrame) {
    check_frame(by_name, input.subspan(kChoice));
    return 0;
  }
  const Entry& entry = entries[choice % entries.size()];
  const int versions = entry.max_version - entry.min_version + 1;
  check(entry, input.subspan(kChoice), static_cast<std::int16_t>(entry.min_version + data[2] % versions));
  return 0;
}
