#include "cli/bench/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace brook::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kInterceptor = "brook-bench";
/// How long the first answer of a broker is waited for: connecting again and again takes no longer to show
/// that there is none.
constexpr auto kConnectWait = std::chrono::milliseconds(10s);
constexpr auto kConnectTry = std::chrono::milliseconds(500);
constexpr std::size_t kReasonSize = 512;  // librdkafka's own recommendation

Result<void> set(const Rdkafka& kafka, rd_kafka_conf_t* conf, const std::string& key,
                 const std::string& value) {
  std::array<char, kReasonSize> reason{};
  if (kafka.rd_conf_set(conf, key.c_str(), value.c_str(), reason.data(), reason.size()) != RD_KAFKA_CONF_OK) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("librdkafka does not take {}={}: {}", key, value, reason.data()));
  }
  return {};
}

Result<void> set_all(const Rdkafka& kafka, rd_kafka_conf_t* conf, const LoadTarget& target,
                     const Settings& settings) {
  BROOK_CHECK(set(kafka, conf, "bootstrap.servers", target.bootstrap));
  BROOK_CHECK(set(kafka, conf, "client.id", kInterceptor));
  BROOK_CHECK(set(kafka, conf, "socket.nagle.disable", "true"));
  for (const auto& [key, value] : settings) BROOK_CHECK(set(kafka, conf, key, value));
  for (const std::string& property : target.properties) {
    const std::size_t equals = property.find('=');  // is there: properties are checked with the options
    BROOK_CHECK(set(kafka, conf, property.substr(0, equals), property.substr(equals + 1)));
  }
  return {};
}

}  // namespace

std::unexpected<Error> refused(const Rdkafka& kafka, rd_kafka_resp_err_t error, std::string_view context) {
  const auto code = error > 0 ? static_cast<ErrorCode>(error) : ErrorCode::kNetworkException;
  return fail(code, fmt::format("{}: {}", context, kafka.rd_err2str(error)));
}

Result<std::unique_ptr<Client>> Client::make(const Rdkafka& kafka, rd_kafka_type_t type,
                                             const LoadTarget& target, const Settings& settings,
                                             Acknowledgements* acknowledgements) {
  std::unique_ptr<Client> client(new Client(kafka, type, acknowledgements));
  rd_kafka_conf_t* const conf = kafka.rd_conf_new();
  kafka.rd_conf_set_log_cb(conf, nullptr);  // what matters of it comes as an error too
  kafka.rd_conf_set_error_cb(conf, &Client::on_error);
  kafka.rd_conf_set_opaque(conf, client.get());
  (void)kafka.rd_conf_interceptor_add_on_new(conf, kInterceptor, &Client::on_new, client.get());
  std::array<char, kReasonSize> reason{};
  const Result<void> is_set = set_all(kafka, conf, target, settings);
  if (is_set) client->handle_ = kafka.rd_new(type, conf, reason.data(), reason.size());
  if (client->handle_ == nullptr) {
    kafka.rd_conf_destroy(conf);  // a client that was made would own it
    BROOK_CHECK(Result<void>(is_set));
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("librdkafka does not make a client: {}", reason.data()));
  }
  return client;
}

Client::~Client() {
  if (handle_ == nullptr) return;
  // Records that nobody waits for any more must not hold up the end.
  (void)kafka_.rd_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  kafka_.rd_destroy(handle_);
}

Result<void> Client::reach(const LoadTarget& target) {
  const auto end = monotonic_now() + std::min(kConnectWait, target.timeout);
  for (;;) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error =
        kafka_.rd_metadata(handle_, 0, nullptr, &metadata, static_cast<int>(kConnectTry.count()));
    poll();
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      kafka_.rd_metadata_destroy(metadata);
      return {};
    }
    if (monotonic_now() >= end) {
      return fail(ErrorCode::kNetworkException,
                  fmt::format("no broker answers at {} ({}): is it running, and is the address right?",
                              target.bootstrap, trouble_.empty() ? kafka_.rd_err2str(error) : trouble_));
    }
  }
}

rd_kafka_resp_err_t Client::on_new(rd_kafka_t* handle, const rd_kafka_conf_t* /*conf*/, void* self,
                                   char* /*reason*/, std::size_t /*reason_size*/) {
  const auto& client = *static_cast<Client*>(self);
  const Rdkafka& kafka = client.kafka_;
  if (client.acknowledgements_ != nullptr) {
    (void)kafka.rd_interceptor_add_on_acknowledgement(handle, kInterceptor, &Client::on_acknowledgement,
                                                      self);
  }
  (void)kafka.rd_interceptor_add_on_request_sent(handle, kInterceptor, &Client::on_request_sent, self);
  (void)kafka.rd_interceptor_add_on_response_received(handle, kInterceptor, &Client::on_response_received,
                                                      self);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Client::on_acknowledgement(rd_kafka_t* /*handle*/, rd_kafka_message_t* message,
                                               void* self) {
  static_cast<Client*>(self)->acknowledgements_->settle(message->err, message->_private, monotonic_now());
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Client::on_request_sent(rd_kafka_t* /*handle*/, int /*socket*/, const char* /*broker*/,
                                            std::int32_t /*broker_id*/, std::int16_t api,
                                            std::int16_t /*version*/, std::int32_t /*correlation_id*/,
                                            std::size_t size, void* self) {
  auto& client = *static_cast<Client*>(self);
  if (api == client.counted_api_) {
    client.requests_.add();
    client.bytes_sent_.add(size);
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Client::on_response_received(rd_kafka_t* /*handle*/, int /*socket*/,
                                                 const char* /*broker*/, std::int32_t /*broker_id*/,
                                                 std::int16_t api, std::int16_t /*version*/,
                                                 std::int32_t /*correlation_id*/, std::size_t size,
                                                 std::int64_t /*round_trip_us*/,
                                                 rd_kafka_resp_err_t /*error*/, void* self) {
  auto& client = *static_cast<Client*>(self);
  if (api == client.counted_api_) client.bytes_received_.add(size);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Client::on_error(rd_kafka_t* /*handle*/, int error, const char* reason, void* self) {
  // Of a broker that is down, the reason comes before the statement that all are.
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) static_cast<Client*>(self)->trouble_ = reason;
}

}  // namespace brook::cli
