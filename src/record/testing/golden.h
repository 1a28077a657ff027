#pragma once

#include <string_view>

#include "record/compression.h"

/// Batches that Apache Kafka 4.3.1's own classes wrote (MemoryRecords of kafka-clients), in hexadecimal. All
/// but the marker hold the same three records: ("key", "value", headers h=x and n=null, 1700000000000),
/// (null, "", …005), ("k0", null, …003).
namespace brook::record::golden {

inline constexpr std::string_view kNone =
    "000000000000000000000057ffffffff026527810d0000000000020000018bcfe568000000018bcfe56805ffffffffffffff"
    "ffffffffffffff000000032a000000066b65790a76616c75650402680278026e010c000a0201000010000604046b300100";
inline constexpr std::string_view kGzip =
    "00000000000000000000006bffffffff02e5814c830001000000020000018bcfe568000000018bcfe56805ffffffffffffff"
    "ffffffffffffff000000031f8b08000000000000ffd362606060cb4eade42a4bcc294d6561ca60aa60ca63e461e062626460"
    "1060606361c93660640000c81c4c0926000000";
inline constexpr std::string_view kSnappy =
    "00000000000000000000006dffffffff02ecc70ece0002000000020000018bcfe568000000018bcfe56805ffffffffffffff"
    "ffffffffffffff0000000382534e415050590000000001000000010000002826942a000000066b65790a76616c7565040268"
    "0278026e010c000a0201000010000604046b300100";
inline constexpr std::string_view kLz4 =
    "000000000000000000000066ffffffff02b6eabc360003000000020000018bcfe568000000018bcfe56805ffffffffffffff"
    "ffffffffffffff0000000304224d18604082260000802a000000066b65790a76616c75650402680278026e010c000a020100"
    "0010000604046b30010000000000";
inline constexpr std::string_view kZstd =
    "000000000000000000000063ffffffff027ab4f6ab0004000000020000018bcfe568000000018bcfe56805ffffffffffffff"
    "ffffffffffffff0000000328b52ffd00583001002a000000066b65790a76616c75650402680278026e010c000a0201000010"
    "000604046b300100010000";
/// Producer 4000, epoch 3, sequence 7, leader epoch 5, transactional.
inline constexpr std::string_view kTransactional =
    "0000000000000000000000570000000502d20405960010000000020000018bcfe568000000018bcfe568050000000000000f"
    "a0000300000007000000032a000000066b65790a76616c75650402680278026e010c000a0201000010000604046b300100";
/// A commit of the same producer by coordinator epoch 9, at offset 42 in leader epoch 5.
inline constexpr std::string_view kMarker =
    "000000000000002a0000004200000005023a9760040030000000000000018bcfe568000000018bcfe568000000000000000f"
    "a00003ffffffff000000012000000008000000010c00000000000900";

inline unsigned hex_digit(char digit) {
  return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

inline Bytes bytes(std::string_view hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(hex_digit(hex[i]) << 4U | hex_digit(hex[i + 1])));
  }
  return out;
}

}  // namespace brook::record::golden
