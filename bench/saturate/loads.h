#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The loads. Each prints one line of JSON; bytes are those of record batches.
namespace brook::saturate {

/// The same batch to each partition in turn, a few requests in flight on one connection.
struct Produce {
  std::uint16_t port = 0;
  std::string topic;
  std::int32_t partitions = 1;
  std::int64_t batches = 0;
  std::size_t record_bytes = 0;
  std::size_t batch_bytes = 0;
  std::int16_t acks = -1;
};
void run(const Produce& load);

/// Partition 0 from its beginning; batch headers alone are looked at.
struct Fetch {
  std::uint16_t port = 0;
  std::string topic;
  std::int64_t bytes = 0;
  std::int64_t mb_per_s = 0;  ///< no faster than this; 0: as fast as it goes
};
void run(const Fetch& load);

/// Requests of one record each to partition 0, by producers that each have `depth` of them in flight.
struct Requests {
  std::uint16_t port = 0;
  std::string topic;
  std::int64_t requests = 0;
  std::size_t producers = 1;
  std::int64_t depth = 1;  ///< of each producer
  std::size_t record_bytes = 0;
  std::int16_t acks = -1;
};
void run(const Requests& load);

/// One record to each partition in turn, one request after the other on one connection: kSpreadRequestsMin of
/// them, and as many as there are partitions at least.
struct Spread {
  struct Topic {
    std::string name;
    std::int32_t partitions = 0;
  };
  std::uint16_t port = 0;
  std::size_t record_bytes = 0;
  std::vector<Topic> topics;
};
inline constexpr std::int64_t kSpreadRequestsMin = 1000;
void run(const Spread& load);

/// End to end at a fixed rate, one record a request: from the moment that a record was due until a fetch that
/// waited at the log's end has brought it. The topic is new.
struct Latency {
  std::uint16_t port = 0;
  std::string topic;
  std::int64_t rate = 0;  ///< records a second
  std::int64_t seconds = 0;
  std::int64_t warm_up_seconds = 0;  ///< before `seconds`
  std::size_t record_bytes = 0;      ///< 8 at least
  std::int16_t acks = -1;
};
void run(const Latency& load);

/// Groups of the classic protocol with members that each have a connection: how long until all have formed,
/// and until all are stable again after each leader asked for a new assignment.
struct Groups {
  std::uint16_t port = 0;
  std::string prefix;  ///< of the groups' names
  std::int64_t groups = 0;
  std::int64_t members = 0;  ///< of each group
};
void run(const Groups& load);

/// Offsets of partition 0, committed for groups without members, one request of each group in flight.
struct Commits {
  std::uint16_t port = 0;
  std::string topic;
  std::string prefix;  ///< of the groups' names
  std::int64_t groups = 0;
  std::int64_t commits = 0;  ///< of all groups
};
void run(const Commits& load);

/// KeyedRecords to a new partition; of the same ones compaction leaves the same.
struct Keyed {
  std::uint16_t port = 0;
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t records = 0;
  std::int64_t keys = 0;
  std::size_t record_bytes = 0;  ///< of the value, 8 at least
  std::size_t batch_bytes = 0;
};
void run(const Keyed& load);

/// Reads all of a partition that Keyed has written, and compaction has passed up to `clean_end`: every record
/// must be one that was written there. Says how many survivors are `missing` and how many replaced records
/// are `left_over`, and the checksums of (offset, key, value) of all, and of those before `clean_end`.
struct Survivors {
  std::uint16_t port = 0;
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t records = 0;  ///< this and the next two as they were written
  std::int64_t keys = 0;
  std::size_t record_bytes = 0;
  std::int64_t clean_end = 0;  ///< `records` at most
};
void run(const Survivors& load);

/// What groups cost in memory, in steps that each end with a line of JSON, {"step": …}, and go on when a line
/// comes in: "warm", "committed" (an offset for each of the simple groups, which have no members),
/// "connected" (all members, and idle), "stable" (all groups).
struct GroupMemory {
  std::uint16_t port = 0;
  std::string topic;
  std::string prefix;  ///< of the groups' names
  std::int64_t simple_groups = 0;
  std::int64_t groups = 0;
  std::int64_t members = 0;  ///< of each group
};
void run(const GroupMemory& load);

/// Transactions of transaction.version 2 (KIP-890): a record in each of one or two partitions, and the end.
/// One in flight of each producer. At the end every transaction has its markers. The topic is new.
struct Transactions {
  std::uint16_t port = 0;
  std::string topic;
  std::int32_t partitions = 0;
  std::string prefix;  ///< of the transactional ids
  std::int64_t producers = 0;
  std::int64_t transactions = 0;
  std::size_t record_bytes = 0;
  std::int64_t abort_percent = 0;
};
void run(const Transactions& load);

/// Records with keys, to each partition in turn, in batches of so many. `has_times`: with the header
/// share.not.before.ms, of a time that is long over.
struct Preload {
  std::uint16_t port = 0;
  std::string topic;
  std::int32_t partitions = 0;
  std::int64_t records = 0;
  std::size_t record_bytes = 0;
  std::int64_t batch_records = 1;
  bool has_times = false;
};
void run(const Preload& load);

/// All that is in a topic, through the members of a share group, which begins at the earliest: until each
/// record was accepted or rejected, once. Of each thousand records so many are rejected, and so many others
/// released when they come the first time. delivered_seconds ends with the last delivery, seconds with its
/// acknowledgement.
struct Share {
  std::uint16_t port = 0;
  std::string topic;
  std::int32_t partitions = 0;
  std::string group;
  std::int64_t members = 0;
  std::int64_t rejected_per_thousand = 0;
  std::int64_t released_per_thousand = 0;
};
void run(const Share& load);

/// `, "KEY_p50_us": …` and so on, of times in seconds.
[[nodiscard]] std::string percentiles_json(std::string_view key, std::vector<double> times_s);

}  // namespace brook::saturate
