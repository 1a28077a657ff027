#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace brook::protocol::wire {

/// Random values for the fields of messages, from a seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  /// Often a default or an extreme.
  std::int64_t number();
  double float64();
  Uuid uuid();
  std::string text();
  Bytes bytes();
  /// A view of bytes that are never freed.
  ByteView view();
  std::size_t length(int depth, bool is_struct);

 private:
  std::mt19937_64 engine_;
};

/// `from`, read in one version and written in another, gives `to` or is refused.
struct Case {
  std::string name{};
  std::int16_t read_version = 0;
  std::int16_t write_version = 0;
  std::string from{};
  bool refused = false;
  std::string to{};
  std::int64_t size = -1;
};

/// A message by name, with its type erased.
struct Entry {
  std::string_view name;
  std::int16_t min_version;
  std::int16_t max_version;
  /// What our code says of the case's `from` in its versions; the error where it cannot be read.
  Result<Case> (*transcode)(ByteView from, std::int16_t read_version, std::int16_t write_version);
  Result<Case> (*default_case)(std::int16_t version);
  Result<Case> (*random_case)(Random& random, std::int16_t read_version, std::int16_t write_version);
};

std::vector<Entry> all_entries();

template <class Message>
Result<Case> transcode(ByteView from, std::int16_t read_version, std::int16_t write_version) {
  Reader in(from);
  BROOK_TRY(const Message message, Message::decode(in, read_version));
  if (in.remaining() > 0)
    return fail(ErrorCode::kInvalidRequest, std::to_string(in.remaining()) + " bytes not read");
  Case out{.name = std::string(Message::kName),
           .read_version = read_version,
           .write_version = write_version,
           .from = to_string(from)};
  Writer writer;
  if (!message.encode(writer, write_version)) {
    out.refused = true;
    return out;
  }
  out.to = to_string(writer.bytes());
  out.size = static_cast<std::int64_t>(message.size(write_version));
  return out;
}

/// A case that begins with an instance: it must survive its own bytes.
template <class Message>
Result<Case> make_case(const Message& message, std::int16_t read_version, std::int16_t write_version) {
  Writer writer;
  BROOK_CHECK(message.encode(writer, read_version));
  Reader in(writer.bytes());
  BROOK_TRY(const Message again, Message::decode(in, read_version));
  if (!(again == message))
    return fail(ErrorCode::kUnknownServerError, "decode gives another message than was encoded");
  return transcode<Message>(writer.bytes(), read_version, write_version);
}

template <class Message>
Result<Case> default_case(std::int16_t version) {
  return make_case(Message{}, version, version);
}

}  // namespace brook::protocol::wire
