/* The load of the crash test, on librdkafka, which is not ours.
 *
 *   faults_load produce BOOTSTRAP TOPIC PARTITIONS RATE
 *     An idempotent producer that writes the numbers 0, 1, 2, ... to each partition, RATE records a second in
 * all, through whatever happens to the broker, until SIGTERM. Prints `ack PARTITION OFFSET NUMBER` for each
 * acknowledged record, and at the end `done COUNT`. faults_load verify BOOTSTRAP TOPIC PARTITIONS Reads every
 * partition from its beginning to its end and checks that offset N holds number N: no gap, no duplicate, no
 * foreign byte. Prints `end PARTITION OFFSET` for each. Exit status 0; 1 and a line `bad ...` where something
 * is wrong; 2 for wrong arguments.
 */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kPartitionsMax = 64, kValueMax = 4096, kVerifyTimeoutSeconds = 120 };

static volatile sig_atomic_t stop_requested = 0;
static int64_t acknowledged = 0;

static void request_stop(int sig) {
  (void)sig;
  stop_requested = 1;
}

static void bad(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("bad ");
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
  fflush(stdout);
  _Exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void set(rd_kafka_conf_t* conf, const char* key, const char* value) {
  char error[512];
  if (rd_kafka_conf_set(conf, key, value, error, sizeof error) != RD_KAFKA_CONF_OK) bad("%s", error);
}

/* The value of a number: its text, then filling whose length and content depend on both, so that batches
 * differ in size. */
static size_t make_value(char* value, int32_t partition, int64_t number) {
  int head = snprintf(value, kValueMax, "%d:%lld:", partition, (long long)number);
  size_t size = (size_t)head + (size_t)((uint64_t)number * 2654435761u % 1500u);
  for (size_t i = (size_t)head; i < size; i++) value[i] = (char)('a' + (number + (int64_t)i) % 26);
  return size;
}

static void on_delivery(rd_kafka_t* producer, const rd_kafka_message_t* message, void* opaque) {
  (void)producer;
  (void)opaque;
  int64_t number = (int64_t)(intptr_t)message->_private;
  if (message->err)
    bad("number %lld of partition %d was given up: %s", (long long)number, message->partition,
        rd_kafka_err2str(message->err));
  if (message->offset != number)
    bad("number %lld of partition %d was acknowledged at offset %lld", (long long)number, message->partition,
        (long long)message->offset);
  acknowledged++;
  printf("ack %d %lld %lld\n", message->partition, (long long)message->offset, (long long)number);
}

static void on_error(rd_kafka_t* producer, int error, const char* reason, void* opaque) {
  (void)opaque;
  if (error != RD_KAFKA_RESP_ERR__FATAL) return;
  char text[512];
  rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer, text, sizeof text);
  bad("fatal error %s: %s (%s)", rd_kafka_err2name(fatal), text, reason);
}

static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  (void)handle;
  if (level <= 3) fprintf(stderr, "%s: %s\n", facility, text);
}

static rd_kafka_t* connect_to(rd_kafka_type_t type, rd_kafka_conf_t* conf, const char* bootstrap) {
  char error[512];
  set(conf, "bootstrap.servers", bootstrap);
  set(conf, "reconnect.backoff.ms", "20");
  set(conf, "reconnect.backoff.max.ms", "100");
  rd_kafka_conf_set_log_cb(conf, on_log);
  rd_kafka_t* handle = rd_kafka_new(type, conf, error, sizeof error);
  if (!handle) bad("%s", error);
  return handle;
}

static int produce(const char* bootstrap, const char* topic, int32_t partitions, double rate) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "enable.idempotence", "true");
  set(conf, "acks", "all");
  set(conf, "linger.ms", "2");
  set(conf, "retry.backoff.ms", "20");
  set(conf, "message.timeout.ms", "600000");
  set(conf, "socket.timeout.ms", "10000");
  set(conf, "topic.metadata.refresh.fast.interval.ms", "50");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_t* producer = connect_to(RD_KAFKA_PRODUCER, conf, bootstrap);

  int64_t next[kPartitionsMax] = {0};
  int64_t sent = 0;
  double begin = seconds();
  char value[kValueMax];
  while (!stop_requested) {
    if ((double)sent > (seconds() - begin) * rate) {
      rd_kafka_poll(producer, 1);
      fflush(stdout);
      continue;
    }
    int32_t partition = (int32_t)(sent % partitions);
    size_t size = make_value(value, partition, next[partition]);
    rd_kafka_resp_err_t error =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                          RD_KAFKA_V_VALUE(value, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_OPAQUE((void*)(intptr_t)next[partition]), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(producer, 10);
      continue;
    }
    if (error) bad("produce: %s", rd_kafka_err2str(error));
    next[partition]++;
    sent++;
    rd_kafka_poll(producer, 0);
  }
  rd_kafka_resp_err_t error = rd_kafka_flush(producer, 60000);
  if (error) bad("flush: %s", rd_kafka_err2str(error));
  rd_kafka_destroy(producer);
  if (acknowledged != sent)
    bad("%lld of %lld records were acknowledged", (long long)acknowledged, (long long)sent);
  printf("done %lld\n", (long long)sent);
  return 0;
}

static void check_record(const rd_kafka_message_t* message, int64_t expected) {
  char value[kValueMax];
  if (message->offset != expected)
    bad("partition %d: offset %lld comes where %lld was expected", message->partition,
        (long long)message->offset, (long long)expected);
  size_t size = make_value(value, message->partition, expected);
  if (message->len != size || memcmp(message->payload, value, size) != 0)
    bad("partition %d: offset %lld holds \"%.*s\"", message->partition, (long long)expected,
        (int)(message->len < 40 ? message->len : 40), (const char*)message->payload);
}

/* A broker that has just started may not lead yet: asked again, as a client does, for half a minute. */
static int64_t end_offset(rd_kafka_t* consumer, const char* topic, int32_t partition, int64_t* low) {
  double deadline = seconds() + 30;
  for (;;) {
    int64_t high = 0;
    rd_kafka_resp_err_t error =
        rd_kafka_query_watermark_offsets(consumer, topic, partition, low, &high, 10000);
    if (!error) return high;
    if (seconds() > deadline) bad("partition %d: offsets: %s", partition, rd_kafka_err2str(error));
    struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
  }
}

static int verify(const char* bootstrap, const char* topic, int32_t partitions) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "group.id", "faults");
  set(conf, "enable.auto.commit", "false");
  set(conf, "auto.offset.reset", "error");
  set(conf, "check.crcs", "true");
  set(conf, "fetch.wait.max.ms", "20");
  rd_kafka_t* consumer = connect_to(RD_KAFKA_CONSUMER, conf, bootstrap);
  rd_kafka_poll_set_consumer(consumer);

  int64_t next[kPartitionsMax] = {0}, end[kPartitionsMax] = {0};
  int32_t open = 0;
  rd_kafka_topic_partition_list_t* assignment = rd_kafka_topic_partition_list_new(partitions);
  for (int32_t partition = 0; partition < partitions; partition++) {
    int64_t low = 0;
    end[partition] = end_offset(consumer, topic, partition, &low);
    if (low != 0) bad("partition %d begins at offset %lld", partition, (long long)low);
    if (end[partition] == 0) continue;
    open++;
    rd_kafka_topic_partition_list_add(assignment, topic, partition)->offset = 0;
  }
  rd_kafka_resp_err_t error = rd_kafka_assign(consumer, assignment);
  if (error) bad("assign: %s", rd_kafka_err2str(error));
  double deadline = seconds() + kVerifyTimeoutSeconds;
  while (open > 0) {
    if (seconds() > deadline)
      bad("%d partitions were not read to their end in %d s", open, kVerifyTimeoutSeconds);
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 100);
    if (!message) continue;
    int32_t partition = message->partition;
    if (message->err) {
      if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
          message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        bad("partition %d: %s", partition, rd_kafka_message_errstr(message));
    } else if (next[partition] < end[partition]) {
      check_record(message, next[partition]);
      if (++next[partition] == end[partition]) open--;
    }
    rd_kafka_message_destroy(message);
  }
  for (int32_t partition = 0; partition < partitions; partition++)
    printf("end %d %lld\n", partition, (long long)end[partition]);
  rd_kafka_topic_partition_list_destroy(assignment);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return 0;
}

int main(int count, char** arguments) {
  signal(SIGTERM, request_stop);
  if (count >= 5) {
    int partitions = atoi(arguments[4]);
    if (partitions >= 1 && partitions <= kPartitionsMax) {
      if (count == 6 && strcmp(arguments[1], "produce") == 0 && atof(arguments[5]) > 0)
        return produce(arguments[2], arguments[3], partitions, atof(arguments[5]));
      if (count == 5 && strcmp(arguments[1], "verify") == 0)
        return verify(arguments[2], arguments[3], partitions);
    }
  }
  fprintf(stderr,
          "usage: faults_load produce BOOTSTRAP TOPIC PARTITIONS RATE | verify BOOTSTRAP TOPIC PARTITIONS (1 "
          "to %d partitions)\n",
          kPartitionsMax);
  return 2;
}
