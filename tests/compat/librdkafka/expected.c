#include "expected.h"

#include <stdio.h>
#include <string.h>

#include "session.h"

static char pattern(int k) {
    return (char)(((k * k) ^ (k >> 3)) & 0xff);
}

int64_t expected_timestamp(int i) {
    return FIRST_TIMESTAMP + (int64_t)kTimestampStep * i;
}

int64_t expected_count(int partition, int records) {
    return (records - partition + kPartitions - 1) / kPartitions;
}

static void make_key(int i, record_t *record) {
    record->key = (bytes_t){.data = NULL, .size = 0};
    if (i % 10 == 9) return;
    int size = i % 10 == 8 ? 0 : snprintf(record->key_buffer, sizeof record->key_buffer, "key-%d", i);
    record->key = (bytes_t){.data = record->key_buffer, .size = (size_t)size};
}

static void make_value(int i, record_t *record) {
    record->value = (bytes_t){.data = NULL, .size = 0};
    if (i % 10 == 0) return;
    size_t size = 0;
    if (i % 10 != 1) {
        int length = i % 1000 == 2 ? kLargeValue : (int)((int64_t)i * 7919 % 300);
        size = (size_t)snprintf(record->value_buffer, sizeof record->value_buffer, "value-%d:", i);
        for (int k = 0; k < length; k++) record->value_buffer[size++] = pattern(i % 256 + k);
    }
    record->value = (bytes_t){.data = record->value_buffer, .size = size};
}

static void make_headers(int i, record_t *record) {
    static const char *const empty = "";
    int digits = snprintf(record->index_buffer, sizeof record->index_buffer, "%d", i);
    header_t index = {"index", {record->index_buffer, (size_t)digits}};
    record->header_count = 0;
    if (i % 4 == 0) return;
    record->headers[record->header_count++] = index;
    if (i % 4 == 2) record->headers[record->header_count++] = (header_t){"empty", {empty, 0}};
    if (i % 4 == 3) {
        record->headers[record->header_count++] = (header_t){"null", {NULL, 0}};
        record->headers[record->header_count++] = (header_t){"index", {"again", 5}};
    }
}

void expected_record(int i, record_t *record) {
    record->partition = i % kPartitions;
    record->offset = i / kPartitions;
    record->timestamp = expected_timestamp(i);
    make_key(i, record);
    make_value(i, record);
    make_headers(i, record);
}

void checker_init(checker_t *checker, const char *topic, int records, const int64_t start[kPartitions]) {
    checker->topic = topic;
    checker->records = records;
    checker->missing = 0;
    for (int p = 0; p < kPartitions; p++) {
        checker->next_offset[p] = start[p];
        checker->missing += (int)(expected_count(p, records) - start[p]);
    }
}

static void check_bytes(const char *where, const char *what, bytes_t actual, bytes_t expected) {
    if ((actual.data == NULL) != (expected.data == NULL)) {
        fail("%s: %s is %s, expected %s", where, what, actual.data ? "not null" : "null", expected.data ? "not null" : "null");
    }
    if (actual.data == NULL) return;
    size_t same = 0;
    while (same < actual.size && same < expected.size && actual.data[same] == expected.data[same]) same++;
    if (same < actual.size || same < expected.size) {
        fail("%s: %s has %zu bytes, expected %zu; they differ from byte %zu on", where, what, actual.size, expected.size, same);
    }
}

static void check_headers(const char *where, const rd_kafka_message_t *message, const record_t *expected) {
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_resp_err_t error = rd_kafka_message_headers(message, &headers);
    size_t count = error == RD_KAFKA_RESP_ERR__NOENT ? 0 : rd_kafka_header_cnt(headers);
    if (count != expected->header_count) fail("%s: %zu headers, expected %zu", where, count, expected->header_count);
    for (size_t h = 0; h < count; h++) {
        const char *name;
        const void *value;
        size_t size;
        if (rd_kafka_header_get_all(headers, h, &name, &value, &size)) fail("%s: header %zu cannot be read", where, h);
        if (strcmp(name, expected->headers[h].name) != 0) {
            fail("%s: header %zu is named %s, expected %s", where, h, name, expected->headers[h].name);
        }
        char what[32];
        snprintf(what, sizeof what, "value of header %zu", h);
        check_bytes(where, what, (bytes_t){value, size}, expected->headers[h].value);
    }
}

void checker_see(checker_t *checker, const rd_kafka_message_t *message) {
    static record_t expected;
    int partition = message->partition;
    char where[300];
    snprintf(where, sizeof where, "%s-%d offset %lld", checker->topic, partition, (long long)message->offset);
    if (message->err) fail("%s: %s", where, rd_kafka_message_errstr(message));
    if (partition < 0 || partition >= kPartitions) fail("%s: no such partition", where);
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    int64_t since_first = timestamp - FIRST_TIMESTAMP;
    if (since_first < 0 || since_first % kTimestampStep != 0 || since_first / kTimestampStep >= checker->records) {
        fail("%s: timestamp %lld belongs to no record", where, (long long)timestamp);
    }
    int i = (int)(since_first / kTimestampStep);
    expected_record(i, &expected);
    if (message->offset != checker->next_offset[partition]) {
        fail("%s holds record %d; expected offset %lld now; %d records are missing", where, i,
             (long long)checker->next_offset[partition], checker->missing);
    }
    if (partition != expected.partition || message->offset != expected.offset) {
        fail("%s holds record %d, which belongs to partition %d at offset %lld", where, i, expected.partition, (long long)expected.offset);
    }
    if (type != RD_KAFKA_TIMESTAMP_CREATE_TIME) fail("%s: timestamp type is %d, expected CreateTime", where, (int)type);
    check_bytes(where, "key", (bytes_t){message->key, message->key_len}, expected.key);
    check_bytes(where, "value", (bytes_t){message->payload, message->len}, expected.value);
    check_headers(where, message, &expected);
    checker->next_offset[partition]++;
    checker->missing--;
}
