/* One client for both brokers, on librdkafka: produces or consumes a number of records over the partitions of
 * a topic, as fast as it can.
 *
 *   bench_load produce BOOTSTRAP TOPIC PARTITIONS RECORDS BYTES COMPRESSION     acks=all
 *   bench_load consume BOOTSTRAP TOPIC PARTITIONS RECORDS                       from the beginning
 * Prints one line of JSON: {"records": N, "bytes": N, "seconds": N}, from the first record to the last
 * acknowledged or received one. Exit status 1 where anything failed, 2 for wrong arguments.
 */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kTimeoutSeconds = 300, kBatch = 1000 };

static int64_t delivered = 0;

static void fail(const char* what, const char* why) {
  fprintf(stderr, "bench_load: %s: %s\n", what, why);
  _Exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void set(rd_kafka_conf_t* conf, const char* key, const char* value) {
  char error[512];
  if (rd_kafka_conf_set(conf, key, value, error, sizeof error) != RD_KAFKA_CONF_OK) fail(key, error);
}

static rd_kafka_t* make(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  char error[512];
  rd_kafka_t* handle = rd_kafka_new(type, conf, error, sizeof error);
  if (!handle) fail("client", error);
  return handle;
}

static void on_delivery(rd_kafka_t* producer, const rd_kafka_message_t* message, void* opaque) {
  (void)producer;
  (void)opaque;
  if (message->err) fail("delivery", rd_kafka_err2str(message->err));
  delivered++;
}

static void report(int64_t records, int64_t bytes, double duration) {
  printf("{\"records\": %lld, \"bytes\": %lld, \"seconds\": %.6f}\n", (long long)records, (long long)bytes,
         duration);
}

static int produce(char** arguments) {
  const char* topic = arguments[1];
  int32_t partitions = (int32_t)atoi(arguments[2]);
  int64_t records = atoll(arguments[3]);
  size_t size = (size_t)atoll(arguments[4]);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", arguments[0]);
  set(conf, "acks", "all");
  set(conf, "linger.ms", "5");
  set(conf, "compression.codec", arguments[5]);
  set(conf, "queue.buffering.max.messages", "200000");
  set(conf, "queue.buffering.max.kbytes", "262144");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t* producer = make(RD_KAFKA_PRODUCER, conf);

  char* value = malloc(size);
  if (!value) fail("value", "no memory");
  uint64_t state = 88172645463325252u;
  for (size_t i = 0; i < size; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    value[i] = (char)('a' + state % 16); /* compresses about two to one */
  }
  double begin = seconds();
  for (int64_t i = 0; i < records;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)(i / 64 % partitions)),
        RD_KAFKA_V_VALUE(value, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(producer, 5);
      if (seconds() - begin > kTimeoutSeconds) fail("produce", "took too long");
      continue;
    }
    if (error) fail("produce", rd_kafka_err2str(error));
    if (++i % 256 == 0) rd_kafka_poll(producer, 0);
  }
  rd_kafka_resp_err_t error = rd_kafka_flush(producer, kTimeoutSeconds * 1000);
  double duration = seconds() - begin;
  if (error || delivered != records) fail("flush", rd_kafka_err2str(error));
  report(records, records * (int64_t)size, duration);
  rd_kafka_destroy(producer);
  free(value);
  return 0;
}

static int consume(char** arguments) {
  const char* topic = arguments[1];
  int32_t partitions = (int32_t)atoi(arguments[2]);
  int64_t records = atoll(arguments[3]);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", arguments[0]);
  set(conf, "group.id", "bench");
  set(conf, "enable.auto.commit", "false");
  set(conf, "auto.offset.reset", "error");
  set(conf, "queued.min.messages", "100000");
  rd_kafka_t* consumer = make(RD_KAFKA_CONSUMER, conf);
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t* assignment = rd_kafka_topic_partition_list_new(partitions);
  for (int32_t partition = 0; partition < partitions; partition++)
    rd_kafka_topic_partition_list_add(assignment, topic, partition)->offset = 0;
  rd_kafka_resp_err_t error = rd_kafka_assign(consumer, assignment);
  if (error) fail("assign", rd_kafka_err2str(error));
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(consumer);

  int64_t received = 0, bytes = 0;
  double asked = seconds(), begin = 0;
  rd_kafka_message_t* messages[kBatch];
  while (received < records) {
    if (seconds() - asked > kTimeoutSeconds) fail("consume", "took too long");
    ssize_t count = rd_kafka_consume_batch_queue(queue, 100, messages, kBatch);
    for (ssize_t i = 0; i < count; i++) {
      if (messages[i]->err) fail("consume", rd_kafka_message_errstr(messages[i]));
      if (received++ == 0) begin = seconds();
      bytes += (int64_t)messages[i]->len;
      rd_kafka_message_destroy(messages[i]);
    }
  }
  report(received, bytes, seconds() - begin);
  rd_kafka_topic_partition_list_destroy(assignment);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return 0;
}

int main(int count, char** arguments) {
  if (count == 8 && strcmp(arguments[1], "produce") == 0 && atoi(arguments[4]) > 0 &&
      atoll(arguments[5]) > 0 && atoll(arguments[6]) > 0)
    return produce(arguments + 2);
  if (count == 6 && strcmp(arguments[1], "consume") == 0 && atoi(arguments[4]) > 0 && atoll(arguments[5]) > 0)
    return consume(arguments + 2);
  fprintf(stderr,
          "usage: bench_load produce BOOTSTRAP TOPIC PARTITIONS RECORDS BYTES COMPRESSION\n"
          "       bench_load consume BOOTSTRAP TOPIC PARTITIONS RECORDS\n");
  return 2;
}
