#include "cli/bench/values.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace brook::cli {
namespace {

constexpr std::size_t kPiece = 64;  // of random bytes, then text; values begin at a piece
constexpr std::string_view kText = R"(","customer_region":"north-west","r)";
constexpr std::size_t kRandom = kPiece - kText.size();

/// SplitMix64: one generator, one start, so every run sends the same.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

}  // namespace

RecordValues::RecordValues(std::size_t record_bytes)
    : record_bytes_(record_bytes),
      stride_((record_bytes + kPiece - 1) / kPiece * kPiece),
      count_(std::max<std::size_t>(1, kBlockBytes / std::max(stride_, kPiece))),
      block_(std::max(kBlockBytes, stride_)) {
  std::uint64_t state = 0;
  for (std::size_t at = 0; at + kPiece <= block_.size(); at += kPiece) {
    const MutableBytes piece = std::span(block_).subspan(at, kPiece);
    for (std::size_t i = 0; i < kRandom; ++i) {
      piece[i] = static_cast<std::byte>(next_random(state) & 0xffU);
    }
    copy_bytes(piece.subspan(kRandom), as_bytes(kText));
  }
}

ByteView RecordValues::at(std::uint64_t index) const {
  return std::span(block_).subspan(static_cast<std::size_t>(index % count_) * stride_, record_bytes_);
}

}  // namespace brook::cli
