// CreatePartitions: versions 0 to 3. Raises a topic's number of partitions; it never falls.
#include "protocol/create_partitions.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;

class CreatePartitionsHandler final : public TypedHandler<CreatePartitionsRequest, CreatePartitionsResponse> {
 public:
  explicit CreatePartitionsHandler(Administration& administration) : administration_(administration) {}

 private:
  Task<CreatePartitionsResponse> serve(const RequestContext& /*context*/,
                                       CreatePartitionsRequest request) override {
    CreatePartitionsResponse response;
    std::vector<cluster::NewPartitions> topics;
    for (const auto& asked : request.topics) {
      cluster::NewPartitions topic;
      topic.topic = asked.name;
      topic.count = asked.count;
      for (const auto& assignment :
           asked.assignments.value_or(std::vector<CreatePartitionsRequest::CreatePartitionsAssignment>())) {
        auto& brokers = topic.assignments.emplace_back();
        for (const std::int32_t id : assignment.broker_ids) brokers.emplace_back(id);
      }
      topics.push_back(std::move(topic));
      response.results.emplace_back().name = asked.name;
    }
    const std::vector<Result<void>> created =
        co_await administration_.create_partitions(std::move(topics), request.validate_only);
    for (std::size_t i = 0; i < created.size(); ++i) {
      if (created[i]) continue;
      response.results[i].error_code = wire(created[i].error().code);
      response.results[i].error_message = created[i].error().context;
    }
    co_return response;
  }

  Administration& administration_;
};

}  // namespace

std::unique_ptr<Handler> make_create_partitions_handler(Administration& administration) {
  return std::make_unique<CreatePartitionsHandler>(administration);
}

}  // namespace brook::broker
