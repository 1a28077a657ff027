#include "cli/bench/values.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace brook::cli {
namespace {

constexpr std::size_t kPieceMax = 64;  // of random bytes, then text
constexpr std::string_view kText = R"(","customer_region":"north-west","re)";
static_assert(kText.size() >= kPieceMax - kPieceMax * 7 / 16);

/// SplitMix64: one generator, one start, so every run sends the same.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

}  // namespace

RecordValues::RecordValues(std::size_t record_bytes) : record_bytes_(std::max<std::size_t>(1, record_bytes)) {
  // Equal pieces, so that a short value is half text, too.
  const std::size_t pieces = (record_bytes_ + kPieceMax - 1) / kPieceMax;
  const std::size_t piece_bytes = (record_bytes_ + pieces - 1) / pieces;
  const std::size_t random_bytes =
      piece_bytes * 7 / 16;  // what refers back to the text takes the rest of a half
  stride_ = pieces * piece_bytes;
  count_ = std::max<std::size_t>(1, kBlockBytes / stride_);
  block_.resize(count_ * stride_);
  std::uint64_t state = 0;
  for (std::size_t at = 0; at < block_.size(); at += piece_bytes) {
    const MutableBytes piece = std::span(block_).subspan(at, piece_bytes);
    for (std::byte& each : piece.first(random_bytes))
      each = static_cast<std::byte>(next_random(state) & 0xffU);
    copy_bytes(piece.subspan(random_bytes), as_bytes(kText.substr(0, piece_bytes - random_bytes)));
  }
}

ByteView RecordValues::at(std::uint64_t index) const {
  return std::span(block_).subspan(static_cast<std::size_t>(index % count_) * stride_, record_bytes_);
}

}  // namespace brook::cli
