#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "cli/bench/acknowledgements.h"
#include "cli/bench/client.h"
#include "cli/bench/topic.h"

namespace brook::cli {

/// What a producer's settings follow from.
struct ProducerPlan {
  std::string acks;
  std::string compression;
  double linger_ms = 0;
  std::int32_t batch_bytes = 1'000'000;
  std::int32_t record_bytes = 0;
  std::int32_t producers = 1;  ///< that share the process's memory
  bool no_batching = false;
};

/// One producing client. Runs on: one shard; acknowledgements() on any.
class Producer {
 public:
  /// Whether librdkafka copies a value or keeps a view of it until its fate is known.
  enum class Keep : std::uint8_t { kCopy, kView };

  /// Makes the topic by `shape` where that is given; otherwise it must be there.
  [[nodiscard]] static Result<std::unique_ptr<Producer>> make(const Rdkafka& kafka, const LoadTarget& target,
                                                              const ProducerPlan& plan,
                                                              const std::optional<TopicShape>& shape);

  /// True where the record was taken; false while the client holds as many as it may. Other refusals are
  /// errors.
  [[nodiscard]] Result<bool> send(std::int32_t partition, ByteView value, runtime::Instant due, Keep keep);
  /// Records taken.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] bool is_settled() const { return acknowledgements_.settled() == sent_; }

  [[nodiscard]] std::int32_t partitions() const { return topic_->partitions(); }
  [[nodiscard]] Client& client() const { return *client_; }
  [[nodiscard]] Acknowledgements& acknowledgements() { return acknowledgements_; }
  [[nodiscard]] const Acknowledgements& acknowledgements() const { return acknowledgements_; }

 private:
  Producer() = default;

  Acknowledgements acknowledgements_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Topic> topic_;
  std::uint64_t sent_ = 0;
};

}  // namespace brook::cli
