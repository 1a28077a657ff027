/* The records that every client writes and checks; ../shared/README.md defines them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <librdkafka/rdkafka.h>

enum { kPartitions = 3, kTimestampStep = 10, kLargeValue = 20000, kHeadersMax = 3, kValueMax = kLargeValue + 32 };
#define FIRST_TIMESTAMP INT64_C(1700000000000)

/* A byte string; data is NULL for Kafka's null, and not NULL for the empty one. */
typedef struct {
    const char *data;
    size_t size;
} bytes_t;

typedef struct {
    const char *name;
    bytes_t value;
} header_t;

/* One record. Its bytes live in the buffers beside them until the next expected_record() on the same object. */
typedef struct {
    int partition;
    int64_t offset;
    int64_t timestamp;
    bytes_t key;
    bytes_t value;
    header_t headers[kHeadersMax];
    size_t header_count;
    char key_buffer[32];
    char index_buffer[16];
    char value_buffer[kValueMax];
} record_t;

void expected_record(int i, record_t *record);
int64_t expected_timestamp(int i);
/* How many of the records 0 .. records - 1 the partition holds. */
int64_t expected_count(int partition, int records);

/* Checks what a reader sees of one topic. */
typedef struct {
    const char *topic;
    int records;
    int64_t next_offset[kPartitions];
    int missing;
} checker_t;

void checker_init(checker_t *checker, const char *topic, int records, const int64_t start[kPartitions]);
/* Ends the program when the message is not the next record of its partition. */
void checker_see(checker_t *checker, const rd_kafka_message_t *message);
