/* A pipeline with exactly-once, for the transaction test, on librdkafka, which is not ours.
 *
 *   faults_pipeline BOOTSTRAP FROM TO PARTITIONS RECORDS
 *     Reads FROM, writes each record to the same partition of TO and commits the offset with it, in
 * transactions of which every fifth is aborted; after an error, or an abort, it begins anew from what is
 * committed. Ends with status 0 when the offsets of RECORDS records are committed. Prints `transactions
 * COMMITTED ABORTED FAILED` then; `bad ...` and status 1 where it cannot go on.
 */
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kTimeoutMs = 10000, kBatch = 40, kPollMs = 200, kPartitionsMax = 64, kStuckSeconds = 120 };

struct pipeline {
  const char* bootstrap;
  const char* from;
  const char* to;
  int partitions;
  rd_kafka_t* consumer;
  rd_kafka_t* producer;
  long committed, aborted, failed;
};

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

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

static void set(rd_kafka_conf_t* conf, const char* key, const char* value) {
  char error[512];
  if (rd_kafka_conf_set(conf, key, value, error, sizeof error) != RD_KAFKA_CONF_OK) bad("%s", error);
}

static rd_kafka_t* make(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  char error[512];
  rd_kafka_t* client = rd_kafka_new(type, conf, error, sizeof error);
  if (!client) bad("%s", error);
  return client;
}

/* Frees the error; whether there was none. */
static int succeeded(rd_kafka_error_t* error) {
  if (!error) return 1;
  fprintf(stderr, "%s\n", rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  return 0;
}

static void open_clients(struct pipeline* p) {
  rd_kafka_conf_t* reading = rd_kafka_conf_new();
  set(reading, "bootstrap.servers", p->bootstrap);
  set(reading, "group.id", "pipeline");
  set(reading, "isolation.level", "read_committed");
  set(reading, "enable.auto.commit", "false");
  set(reading, "auto.offset.reset", "earliest");
  set(reading, "session.timeout.ms", "10000");
  p->consumer = make(RD_KAFKA_CONSUMER, reading);
  rd_kafka_poll_set_consumer(p->consumer);
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, p->from, RD_KAFKA_PARTITION_UA);
  if (rd_kafka_subscribe(p->consumer, topics)) bad("cannot subscribe");
  rd_kafka_topic_partition_list_destroy(topics);

  rd_kafka_conf_t* writing = rd_kafka_conf_new();
  set(writing, "bootstrap.servers", p->bootstrap);
  set(writing, "transactional.id", "pipeline");
  set(writing, "transaction.timeout.ms", "20000");
  p->producer = make(RD_KAFKA_PRODUCER, writing);
  time_t begin = now();
  while (!succeeded(rd_kafka_init_transactions(p->producer, kTimeoutMs))) {
    if (now() - begin > kStuckSeconds) bad("no producer id for %d s", kStuckSeconds);
  }
}

static void close_clients(struct pipeline* p) {
  rd_kafka_destroy(p->producer);
  rd_kafka_consumer_close(p->consumer);
  rd_kafka_destroy(p->consumer);
}

/* How many records the group has committed; -1 where that cannot be told now. */
static int64_t committed_records(struct pipeline* p) {
  rd_kafka_topic_partition_list_t* offsets = rd_kafka_topic_partition_list_new(p->partitions);
  for (int i = 0; i < p->partitions; i++) rd_kafka_topic_partition_list_add(offsets, p->from, i);
  int64_t sum = 0;
  if (rd_kafka_committed(p->consumer, offsets, kTimeoutMs)) sum = -1;
  for (int i = 0; sum >= 0 && i < offsets->cnt; i++) {
    if (offsets->elems[i].err) sum = -1;
    if (sum >= 0 && offsets->elems[i].offset > 0) sum += offsets->elems[i].offset;
  }
  rd_kafka_topic_partition_list_destroy(offsets);
  return sum;
}

/* Reads a batch and writes it as part of the open transaction; the number of records, -1 on an error. */
static int move_batch(struct pipeline* p, rd_kafka_topic_partition_list_t* offsets,
                      rd_kafka_message_t* first) {
  int count = 0;
  for (rd_kafka_message_t* message = first; message && count < kBatch;) {
    if (message->err) {
      rd_kafka_message_destroy(message);
      return -1;
    }
    rd_kafka_resp_err_t error =
        rd_kafka_producev(p->producer, RD_KAFKA_V_TOPIC(p->to), RD_KAFKA_V_PARTITION(message->partition),
                          RD_KAFKA_V_VALUE(message->payload, message->len),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    rd_kafka_topic_partition_t* offset =
        rd_kafka_topic_partition_list_find(offsets, p->from, message->partition);
    if (!offset) offset = rd_kafka_topic_partition_list_add(offsets, p->from, message->partition);
    offset->offset = message->offset + 1;
    rd_kafka_message_destroy(message);
    if (error) return -1;
    count++;
    message = count < kBatch ? rd_kafka_consumer_poll(p->consumer, 0) : NULL;
  }
  return count;
}

/* One transaction that begins with `first`. Whether the clients can go on: after an abort they are ahead. */
static int run_transaction(struct pipeline* p, rd_kafka_message_t* first) {
  if (!succeeded(rd_kafka_begin_transaction(p->producer))) {
    rd_kafka_message_destroy(first);
    p->failed++;
    return 0;
  }
  rd_kafka_topic_partition_list_t* offsets = rd_kafka_topic_partition_list_new(p->partitions);
  int moved = move_batch(p, offsets, first);
  rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(p->consumer);
  int sent =
      moved > 0 && succeeded(rd_kafka_send_offsets_to_transaction(p->producer, offsets, group, kTimeoutMs));
  rd_kafka_consumer_group_metadata_destroy(group);
  rd_kafka_topic_partition_list_destroy(offsets);
  if (sent && (p->committed + p->aborted) % 5 != 4) {
    if (succeeded(rd_kafka_commit_transaction(p->producer, 3 * kTimeoutMs))) {
      p->committed++;
      return 1;
    }
  } else if (sent) {
    p->aborted++;
    (void)succeeded(rd_kafka_abort_transaction(p->producer, kTimeoutMs));
    return 0;
  }
  p->failed++;
  (void)succeeded(rd_kafka_abort_transaction(p->producer, kTimeoutMs));
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: faults_pipeline BOOTSTRAP FROM TO PARTITIONS RECORDS\n");
    return 2;
  }
  struct pipeline p = {.bootstrap = argv[1], .from = argv[2], .to = argv[3], .partitions = atoi(argv[4])};
  const int64_t records = atoll(argv[5]);
  if (p.partitions < 1 || p.partitions > kPartitionsMax || records < 1) return 2;
  open_clients(&p);
  time_t last = now();
  while (1) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(p.consumer, kPollMs);
    int fine = 1;
    if (message && message->err) {
      fprintf(stderr, "%s\n", rd_kafka_message_errstr(message));
      rd_kafka_message_destroy(message);
    } else if (message) {
      last = now();
      fine = run_transaction(&p, message);
    } else if (committed_records(&p) == records) {
      break;
    }
    if (now() - last > kStuckSeconds)
      bad("no record for %d s, %lld are committed", kStuckSeconds, (long long)committed_records(&p));
    if (fine) continue;
    close_clients(&p);
    open_clients(&p);
  }
  close_clients(&p);
  printf("transactions %ld %ld %ld\n", p.committed, p.aborted, p.failed);
  return 0;
}
