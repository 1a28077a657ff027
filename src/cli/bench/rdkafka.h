#pragma once

#include <librdkafka/rdkafka.h>

#include "base/result.h"

// Every function of librdkafka that the bench calls, without its prefix.
#define BROOK_RDKAFKA_FUNCTIONS(X)        \
  X(AdminOptions_destroy)                 \
  X(AdminOptions_new)                     \
  X(AdminOptions_set_request_timeout)     \
  X(CreateTopics)                         \
  X(CreateTopics_result_topics)           \
  X(NewTopic_destroy)                     \
  X(NewTopic_new)                         \
  X(conf_destroy)                         \
  X(conf_interceptor_add_on_new)          \
  X(conf_new)                             \
  X(conf_set)                             \
  X(conf_set_error_cb)                    \
  X(conf_set_log_cb)                      \
  X(conf_set_opaque)                      \
  X(consume_batch_queue)                  \
  X(consume_start_queue)                  \
  X(consume_stop)                         \
  X(destroy)                              \
  X(err2str)                              \
  X(event_CreateTopics_result)            \
  X(event_destroy)                        \
  X(event_error)                          \
  X(interceptor_add_on_acknowledgement)   \
  X(interceptor_add_on_request_sent)      \
  X(interceptor_add_on_response_received) \
  X(last_error)                           \
  X(message_destroy)                      \
  X(metadata)                             \
  X(metadata_destroy)                     \
  X(new)                                  \
  X(poll)                                 \
  X(produce)                              \
  X(purge)                                \
  X(query_watermark_offsets)              \
  X(queue_cb_event_enable)                \
  X(queue_destroy)                        \
  X(queue_new)                            \
  X(queue_poll)                           \
  X(topic_destroy)                        \
  X(topic_new)                            \
  X(topic_result_error)                   \
  X(topic_result_error_string)

namespace brook::cli {

/// librdkafka, loaded when a load is run and not when the process starts: linked in, it and the OpenSSL below
/// it would cost every broker 2 MiB of memory and 3 ms of its start (docs/dependencies.md). rd_kafka_new is
/// `rd_new` here, and so on. Runs on: any.
struct Rdkafka {
#define BROOK_RDKAFKA_MEMBER(name) decltype(&::rd_kafka_##name) rd_##name = nullptr;
  BROOK_RDKAFKA_FUNCTIONS(BROOK_RDKAFKA_MEMBER)
#undef BROOK_RDKAFKA_MEMBER

  /// The system's librdkafka.so.1; it stays loaded until the process ends. INVALID_REQUEST where it is not
  /// installed or too old to have all functions.
  [[nodiscard]] static Result<Rdkafka> load();
};

}  // namespace brook::cli
