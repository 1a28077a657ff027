#include "cli/log_dump/log_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/log_dump/dumps.h"
#include "cli/log_dump/file_kind.h"
#include "cli/log_dump/state_topic.h"
#include "cli/table.h"
#include "runtime/host.h"

namespace brook::cli {
namespace {

struct LogDumpOptions {
  std::vector<std::string> paths;
  bool json = false;
  bool records = false;
  bool offsets_decoder = false;
  bool transaction_log_decoder = false;
  bool share_group_state_decoder = false;
  bool raw = false;
};

void declare(Arguments& arguments, LogDumpOptions& options) {
  arguments
      .positional("PATH", &options.paths,
                  "Files of a data directory; a directory stands for the segments in it")
      .required()
      .completed_by(Completes::kFile);
  arguments.flag("-r,--records", options.records, "Print the records of each batch too");
  arguments.flag("--json", options.json, "Print one JSON object for each batch or entry");
  arguments.section("Records of internal topics (chosen by the directory's name where nothing is said)");
  arguments.flag("--offsets-decoder", options.offsets_decoder,
                 "Print records, decoded as those of __consumer_offsets");
  arguments.flag("--transaction-log-decoder", options.transaction_log_decoder,
                 "Print records, decoded as those of __transaction_state");
  arguments.flag("--share-group-state-decoder", options.share_group_state_decoder,
                 "Print records, decoded as those of __share_group_state");
  arguments.flag("--raw", options.raw, "Do not decode them");
}

/// What the decoder options choose, of which one at most is given.
Result<std::optional<StateTopic>> chosen_decoder(const LogDumpOptions& options) {
  std::optional<StateTopic> chosen;
  int given = options.raw ? 1 : 0;
  for (const auto& [is_given, topic] :
       {std::pair(options.offsets_decoder, StateTopic::kGroups),
        std::pair(options.transaction_log_decoder, StateTopic::kTransactions),
        std::pair(options.share_group_state_decoder, StateTopic::kShareStates)}) {
    if (!is_given) continue;
    ++given;
    chosen = topic;
  }
  if (given > 1) {
    return fail(ErrorCode::kInvalidRequest,
                "--offsets-decoder, --transaction-log-decoder, --share-group-state-decoder and --raw exclude "
                "each other");
  }
  return chosen;
}

/// Replaces a directory by the segments in it.
Result<std::vector<std::string>> expand(runtime::FileSystem& files, const std::vector<std::string>& paths) {
  std::vector<std::string> expanded;
  for (const std::string& path : paths) {
    const auto entries = files.list(path);
    if (!entries) {  // no directory; open() will say what is wrong with a path that is nothing at all
      expanded.push_back(path);
      continue;
    }
    std::vector<std::string> segments;
    for (const runtime::DirectoryEntry& entry : *entries) {
      if (!entry.is_directory && entry.name.ends_with(".log")) segments.push_back(path + "/" + entry.name);
    }
    if (segments.empty()) {
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("{} has no segment (*.log) in it; name the directory of one partition", path));
    }
    std::ranges::sort(segments);  // their names have leading zeros
    expanded.insert(expanded.end(), segments.begin(), segments.end());
  }
  return expanded;
}

Result<void> dump(runtime::File& file, const DataFile& what, const DumpStyle& style, Console& console) {
  const bool is_relative = what.kind == FileKind::kOffsetIndex || what.kind == FileKind::kTimeIndex;
  if (is_relative && !what.base_offset) {
    return fail(ErrorCode::kInvalidRequest,
                "its name must begin with the base offset in 20 digits, to which its entries are relative");
  }
  switch (what.kind) {
    case FileKind::kSegment:
      return dump_segment(file, style, console);
    case FileKind::kOffsetIndex:
      return dump_offset_index(file, *what.base_offset, style, console);
    case FileKind::kTimeIndex:
      return dump_time_index(file, *what.base_offset, style, console);
    case FileKind::kTransactionIndex:
      return dump_transaction_index(file, style, console);
    case FileKind::kProducerSnapshot:
      return dump_producer_snapshot(file, style, console);
    case FileKind::kLeaderEpochs:
      return dump_leader_epochs(file, style, console);
    case FileKind::kPartitionOffsets:
      return dump_partition_offsets(file, style, console);
    case FileKind::kProperties:
      return dump_properties(file, style, console);
  }
  return {};
}

Result<void> dump_path(runtime::FileSystem& files, const std::string& path, const DumpStyle& style,
                       Console& console) {
  const std::optional<DataFile> what = recognise(path);
  if (!what && !files.exists(path))
    return fail(ErrorCode::kInvalidRequest, "there is no such file or directory");
  if (!what) {
    return fail(ErrorCode::kInvalidRequest,
                "it is not called as a file of a data directory: *.log, *.index, *.timeindex, *.txnindex, "
                "*.snapshot, *-checkpoint, meta.properties, partition.metadata");
  }
  BROOK_TRY(const std::unique_ptr<runtime::File> file, files.open(path, runtime::OpenMode::kRead));
  return dump(*file, *what, style, console);
}

int dump_all(runtime::FileSystem& files, const LogDumpOptions& options, Console& console) {
  const auto decoder = chosen_decoder(options);
  if (!decoder) return console.usage(decoder.error().context);
  DumpStyle style{.json = options.json, .records = options.records || *decoder};
  const auto paths = expand(files, options.paths);
  if (!paths) return console.failure(paths.error());
  int status = kOk;
  for (const std::string& path : *paths) {
    if (paths->size() > 1 && !options.json) {
      console.out(emphasize(console, fmt::format("{}{}:", &path == paths->data() ? "" : "\n", path),
                            Emphasis::kBold) +
                  "\n");
    }
    style.state_topic = *decoder ? *decoder : options.raw ? std::nullopt : state_topic_of(path);
    const auto dumped = dump_path(files, path, style, console);
    if (dumped) continue;
    const std::string& why = dumped.error().context;  // which names the path where the file system refused
    status = console.failure(why.contains(path) ? why : fmt::format("{}: {}", path, why));
  }
  return status;
}

Task<int> dump_task(runtime::Host& host, const LogDumpOptions& options, Console& console) {
  co_return dump_all(host.shard(0).files(), options, console);
}

int run(const LogDumpOptions& options, Console& console) {
  const auto host = runtime::make_host({.shards = 1, .file_threads = 1});
  return host->run([&](runtime::Host& running) { return dump_task(running, options, console); });
}

}  // namespace

Command log_dump_command() {
  return make_command<LogDumpOptions>(
      {.path = "log dump",
       .summary = "Print what is in the files of a data directory, Brook's or Apache Kafka's",
       .details = "Reads segments (*.log), indexes (*.index, *.timeindex, *.txnindex), producer snapshots "
                  "(*.snapshot),\n"
                  "checkpoints (*-checkpoint) and properties, without a broker and without changing "
                  "anything. A torn or\n"
                  "damaged file is printed as far as it can be read; then the position and exit status 1 say "
                  "where it ends.\n"
                  "PRODUCER is id/epoch#sequence. The records of __consumer_offsets, __transaction_state and "
                  "__share_group_state\n"
                  "are decoded; what cannot be is printed as it is, and why.",
       .examples = {{"brook log dump data/orders-0/00000000000000000000.log", "The batches of a segment"},
                    {"brook log dump --records data/orders-0",
                     "All segments of a partition with their records"},
                    {"brook log dump --records data/__consumer_offsets-7", "Offsets that were committed"},
                    {"brook log dump --json data/orders-0 | jq -c 'select(.crc_valid | not)'",
                     "Damaged batches"},
                    {"brook log dump data/recovery-point-offset-checkpoint", "A checkpoint"}}},
      declare, run);
}

}  // namespace brook::cli
