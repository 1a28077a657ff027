#include "keeper/transaction_log.h"

#include <gtest/gtest.h>

namespace brook::keeper {
namespace {

Proposal change(std::int64_t zxid) {
  return {Zxid(zxid),
          Timestamp(5),
          SessionId(9),
          {CreateOp{"/a", "data", CreateMode::kEphemeralSequential}, SetOp{"/b", "", 4}, RemoveOp{"/c", {}},
           CheckOp{"/d", 0}},
          false};
}

TEST(TransactionLog, ReadsWhatItWrote) {
  const std::vector proposals = {change(1), change(2),
                                 Proposal{Zxid(3), Timestamp(6), SessionId(9), {}, true}};

  const DecodedFrames decoded = decode_frames(encode_frame(proposals));

  EXPECT_EQ(decoded.proposals, proposals);
  EXPECT_FALSE(decoded.damaged);
}

TEST(TransactionLog, CutsATornTailAtAnyByte) {
  const std::string whole = encode_frame({change(1)});
  const std::string bytes = whole + encode_frame({change(2), change(3)});

  for (std::size_t size = whole.size(); size < bytes.size(); ++size) {
    const DecodedFrames decoded = decode_frames(std::string_view(bytes).substr(0, size));
    EXPECT_EQ(decoded.good_bytes, whole.size());
    EXPECT_EQ(decoded.proposals.size(), 1U);
    EXPECT_FALSE(decoded.damaged);
  }
}

TEST(TransactionLog, TellsDamageFromATornTail) {
  const std::string bytes = encode_frame({change(1)}) + encode_frame({change(2)}) + encode_frame({change(3)});
  const std::size_t frame = bytes.size() / 3;

  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 0x04);
    const DecodedFrames decoded = decode_frames(bad);
    EXPECT_EQ(decoded.good_bytes, at / frame * frame) << at;
    EXPECT_EQ(decoded.damaged, at < 2 * frame) << at;
  }
}

}  // namespace
}  // namespace brook::keeper
