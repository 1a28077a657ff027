#include "cli/group/reset_offsets.h"

#include <utility>

#include "cli/group/group_kind.h"
#include "cli/group/members.h"
#include "cli/share/share.h"
#include "client/share_group_admin.h"

namespace brook::cli {
namespace {

/// Where a share group begins to read.
class ShareOffsets final : public MovableOffsets {
 public:
  ShareOffsets(client::Client& client, std::string group)
      : client_(client), admin_(client), group_(std::move(group)) {}

  Task<Result<PartitionOffsets>> present() override {
    PartitionOffsets offsets;
    const auto present = co_await admin_.offsets(group_);
    if (present) {
      for (const client::ShareOffset& each : *present) offsets[each.partition] = each.start;
    } else if (present.error().code != ErrorCode::kGroupIdNotFound) {
      co_return std::unexpected(present.error());
    }
    // A group that is not there comes into being, but not beside one of another kind.
    if (offsets.empty())
      BROOK_CO_CHECK(co_await check_kind(client_, group_, GroupKind::kShare, "reset-offsets"));
    co_return offsets;
  }
  Task<Result<void>> check() override {
    BROOK_CO_TRY(const auto described, co_await admin_.describe({group_}));
    co_return check_unused(described.front());
  }
  Task<Result<std::vector<client::CommitOutcome>>> move(PartitionOffsets to) override {
    std::vector<client::ShareOffset> offsets;
    for (const auto& [partition, offset] : to) offsets.push_back({partition, offset, {}});
    co_return co_await admin_.alter(group_, std::move(offsets));
  }

 private:
  client::Client& client_;
  client::ShareGroupAdmin admin_;
  std::string group_;
};

std::unique_ptr<MovableOffsets> share_offsets(client::Client& client, const std::string& group) {
  return std::make_unique<ShareOffsets>(client, group);
}

int run(const ResetOffsetsOptions& options, Console& console) {
  return run_reset_offsets(options, console, share_offsets);
}

}  // namespace

Command share_reset_offsets_command() {
  return make_command<ResetOffsetsOptions>(
      {.path = "share reset-offsets",
       .summary = "Change where a share group begins to read",
       .details =
           "The group must have no members. What it knew of records behind the new start is forgotten: they "
           "are handed out anew. An offset outside of a partition's log becomes the nearest end of it.",
       .examples = {{"brook share reset-offsets jobs --to beginning --topic orders --dry-run",
                     "Shows what reading all of a topic would change"},
                    {"brook share reset-offsets jobs --to end", "Passes over what is there"}}},
      declare_reset_offsets, run);
}

}  // namespace brook::cli
