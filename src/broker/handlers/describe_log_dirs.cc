// DescribeLogDirs: versions 1 to 5. Every log directory with the partitions asked for (all by null) and their
// sizes.
#include <map>
#include <set>

#include "broker/handlers/handlers.h"
#include "protocol/describe_log_dirs.h"

namespace brook::broker {
namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;

struct Found {
  std::string directory;
  TopicPartition partition;
  std::uint64_t size = 0;
};

struct Work {
  Task<std::vector<Found>> operator()(replica::ReplicaSet& replicas) const {
    std::vector<Found> found;
    for (const auto& [id, partition] : replicas.all()) {
      found.push_back({partition->log_directory(), partition->name(), partition->log().size_in_bytes()});
    }
    co_return found;
  }
};

class DescribeLogDirsHandler final : public TypedHandler<DescribeLogDirsRequest, DescribeLogDirsResponse> {
 public:
  DescribeLogDirsHandler(ClusterView& view, PartitionRouter& router, replica::LogDirectories& directories)
      : view_(view), router_(router), directories_(directories) {}

 private:
  Task<DescribeLogDirsResponse> serve(const RequestContext& context,
                                      DescribeLogDirsRequest request) override {
    std::optional<std::set<TopicPartition>> wanted;
    if (request.topics) {
      wanted.emplace();
      for (const auto& topic : *request.topics) {
        for (const std::int32_t index : topic.partitions)
          wanted->insert({topic.topic, PartitionIndex(index)});
      }
    }
    Work work;
    const std::vector<std::vector<Found>> by_shard = co_await router_.collect<std::vector<Found>>(work);
    std::map<std::string, std::map<std::string, DescribeLogDirsResponse::DescribeLogDirsTopic>> by_directory;
    for (const std::vector<Found>& shard : by_shard) {
      for (const Found& found : shard) {
        if (wanted && !wanted->contains(found.partition)) continue;
        auto& topic = by_directory[found.directory][found.partition.topic];
        topic.name = found.partition.topic;
        topic.partitions.push_back(
            {found.partition.partition.value(), static_cast<std::int64_t>(found.size), 0, false});
      }
    }
    DescribeLogDirsResponse response;
    for (const auto& health : directories_.healths()) {
      auto& result = response.results.emplace_back();
      result.log_dir = health->path();
      if (health->offline()) {
        result.error_code = wire(ErrorCode::kKafkaStorageError);
        continue;
      }
      if (const auto space = context.shard->files().free_bytes(result.log_dir))
        result.usable_bytes = static_cast<std::int64_t>(*space);
      if (const auto space = context.shard->files().total_bytes(result.log_dir))
        result.total_bytes = static_cast<std::int64_t>(*space);
      for (auto& [name, topic] : by_directory[result.log_dir]) result.topics.push_back(std::move(topic));
    }
    co_return response;
  }

  [[nodiscard]] std::uint64_t reply_bytes(const RequestContext& /*context*/,
                                          const DescribeLogDirsRequest& /*request*/) const override {
    constexpr std::uint64_t kPartition = 512;  // found, described and encoded, with its name
    std::uint64_t partitions = 0;
    view_.image()->topics.for_each(
        [&](const cluster::TopicPtr& topic) { partitions += topic->partitions.size(); });
    return partitions * kPartition;
  }

  ClusterView& view_;
  PartitionRouter& router_;
  replica::LogDirectories& directories_;
};

}  // namespace

std::unique_ptr<Handler> make_describe_log_dirs_handler(ClusterView& view, PartitionRouter& router,
                                                        replica::LogDirectories& directories) {
  return std::make_unique<DescribeLogDirsHandler>(view, router, directories);
}

}  // namespace brook::broker
