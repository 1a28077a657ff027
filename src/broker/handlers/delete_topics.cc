// DeleteTopics: versions 1 to 6; by name, from 6 also by id. A topic is gone for every client when this is
// answered; its files go later.
#include "protocol/delete_topics.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;

class DeleteTopicsHandler final : public TypedHandler<DeleteTopicsRequest, DeleteTopicsResponse> {
 public:
  DeleteTopicsHandler(ClusterView& view, Administration& administration)
      : view_(view), administration_(administration) {}

 private:
  Task<DeleteTopicsResponse> serve(const RequestContext& context, DeleteTopicsRequest request) override {
    DeleteTopicsResponse response;
    std::vector<cluster::TopicRef> topics;
    const cluster::ImagePtr image = view_.image();
    if (context.version < 6) {
      for (std::string& name : request.topic_names) topics.push_back({std::move(name), {}});
    }
    for (const auto& state : request.topics) topics.push_back({state.name.value_or(""), state.topic_id});
    for (const cluster::TopicRef& ref : topics) {
      auto& answer = response.responses.emplace_back();
      const cluster::TopicPtr topic =
          ref.name.empty() ? image->topics.find(ref.id) : image->topics.find(ref.name);
      answer.name.reset();
      if (!ref.name.empty()) answer.name = ref.name;
      if (topic) answer.name = topic->name;
      answer.topic_id = topic ? topic->id : ref.id;
    }
    const std::vector<Result<void>> deleted = co_await administration_.delete_topics(std::move(topics));
    for (std::size_t i = 0; i < deleted.size(); ++i) {
      if (deleted[i]) continue;
      response.responses[i].error_code = wire(deleted[i].error().code);
      response.responses[i].error_message = deleted[i].error().context;
    }
    co_return response;
  }

  ClusterView& view_;
  Administration& administration_;
};

}  // namespace

std::unique_ptr<Handler> make_delete_topics_handler(ClusterView& view, Administration& administration) {
  return std::make_unique<DeleteTopicsHandler>(view, administration);
}

}  // namespace brook::broker
