#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "cli/bench/acknowledgements.h"
#include "cli/bench/load.h"
#include "cli/bench/rdkafka.h"

namespace brook::cli {

/// librdkafka's settings, in the order in which they are made.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// One client of librdkafka, with connections and threads of its own. It counts requests where they are sent
/// and acknowledgements where they arrive, on librdkafka's threads, so nothing waits for a poll. Runs on: one
/// shard, which calls that wait for the broker may hold up; the counters on any.
class Client {
 public:
  /// `acknowledgements`, for a producer, outlives the client. INVALID_REQUEST for a setting that librdkafka
  /// refuses. Nothing is sent yet.
  [[nodiscard]] static Result<std::unique_ptr<Client>> make(const Rdkafka& kafka, rd_kafka_type_t type,
                                                            const LoadTarget& target,
                                                            const Settings& settings,
                                                            Acknowledgements* acknowledgements = nullptr);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] const Rdkafka& kafka() const { return kafka_; }
  [[nodiscard]] rd_kafka_t* handle() const { return handle_; }
  /// Takes note of what librdkafka has to say; to be called now and then.
  void poll() { (void)kafka_.rd_poll(handle_, 0); }
  /// The last trouble that librdkafka told of, for a person; empty without any.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  /// Waits until a broker answers, kConnectWait at most. NETWORK_EXCEPTION.
  [[nodiscard]] Result<void> reach(const LoadTarget& target);

  /// Produce requests of a producer, Fetch requests of a consumer.
  [[nodiscard]] std::uint64_t requests() const { return requests_.value(); }
  /// Of those requests, and of the answers to them, on the wire.
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_.value(); }
  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_.value(); }

 private:
  Client(const Rdkafka& kafka, rd_kafka_type_t type, Acknowledgements* acknowledgements)
      : kafka_(kafka), counted_api_(type == RD_KAFKA_PRODUCER ? 0 : 1), acknowledgements_(acknowledgements) {}

  static rd_kafka_resp_err_t on_new(rd_kafka_t* handle, const rd_kafka_conf_t* conf, void* self, char* reason,
                                    std::size_t reason_size);
  static rd_kafka_resp_err_t on_acknowledgement(rd_kafka_t* handle, rd_kafka_message_t* message, void* self);
  static rd_kafka_resp_err_t on_request_sent(rd_kafka_t* handle, int socket, const char* broker,
                                             std::int32_t broker_id, std::int16_t api, std::int16_t version,
                                             std::int32_t correlation_id, std::size_t size, void* self);
  static rd_kafka_resp_err_t on_response_received(rd_kafka_t* handle, int socket, const char* broker,
                                                  std::int32_t broker_id, std::int16_t api,
                                                  std::int16_t version, std::int32_t correlation_id,
                                                  std::size_t size, std::int64_t round_trip_us,
                                                  rd_kafka_resp_err_t error, void* self);
  static void on_error(rd_kafka_t* handle, int error, const char* reason, void* self);

  const Rdkafka& kafka_;
  const std::int16_t counted_api_;
  Acknowledgements* const acknowledgements_;
  rd_kafka_t* handle_ = nullptr;
  std::string trouble_;
  Counter requests_;
  Counter bytes_sent_;
  Counter bytes_received_;
};

/// What librdkafka says of `error`, as an Error with `context` before it.
[[nodiscard]] std::unexpected<Error> refused(const Rdkafka& kafka, rd_kafka_resp_err_t error,
                                             std::string_view context);

}  // namespace brook::cli
