/* Every codec and every level of acknowledgement: what was produced is what is consumed, from the beginning and from the middle. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "expected.h"
#include "session.h"

static const char *const kCodecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
enum { kCodecCount = 5, kBatch = 2000 };

typedef struct {
    const char *topic;
    bool offsets_known;
    int acknowledged;
} deliveries_t;

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    deliveries_t *deliveries = opaque;
    int i = (int)(intptr_t)message->_private;
    if (message->err) fail("%s: producing record %d: %s", deliveries->topic, i, rd_kafka_message_errstr(message));
    if (deliveries->offsets_known) {
        if (message->offset != i / kPartitions || message->partition != i % kPartitions) {
            fail("%s: record %d is acknowledged in partition %d at offset %lld, expected %d at %d", deliveries->topic, i,
                 message->partition, (long long)message->offset, i % kPartitions, i / kPartitions);
        }
        if (rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_PERSISTED) {
            fail("%s: record %d is acknowledged and not persisted", deliveries->topic, i);
        }
    }
    deliveries->acknowledged++;
}

static void produce(const session_t *session, const char *topic, int records, const char *const *settings, bool offsets_known) {
    static record_t record;
    deliveries_t deliveries = {.topic = topic, .offsets_known = offsets_known};
    rd_kafka_t *producer = new_client(session, RD_KAFKA_PRODUCER, settings, on_delivery, &deliveries);
    for (int i = 0; i < records; i++) {
        expected_record(i, &record);
        rd_kafka_resp_err_t error;
        do {
            rd_kafka_headers_t *headers = rd_kafka_headers_new(record.header_count);
            for (size_t h = 0; h < record.header_count; h++) {
                const header_t *header = &record.headers[h];
                rd_kafka_header_add(headers, header->name, -1, header->value.data, (ssize_t)header->value.size);
            }
            error = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(record.partition),
                                      RD_KAFKA_V_TIMESTAMP(record.timestamp), RD_KAFKA_V_KEY(record.key.data, record.key.size),
                                      RD_KAFKA_V_VALUE((void *)record.value.data, record.value.size), RD_KAFKA_V_HEADERS(headers),
                                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE((void *)(intptr_t)i), RD_KAFKA_V_END);
            if (error) rd_kafka_headers_destroy(headers);
            rd_kafka_poll(producer, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
        } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
        if (error) fail("%s: producing record %d: %s", topic, i, rd_kafka_err2name(error));
    }
    check_error("flush", rd_kafka_flush(producer, 2 * kTimeoutMs), RD_KAFKA_RESP_ERR_NO_ERROR);
    if (deliveries.acknowledged != records) fail("%s: %d of %d records acknowledged", topic, deliveries.acknowledged, records);
    rd_kafka_destroy(producer);
}

/* Reads from these offsets to the end, which every partition must report at its record count. */
static void consume(const session_t *session, const char *topic, int records, const int64_t start[kPartitions],
                    const char *const *settings) {
    checker_t checker;
    checker_init(&checker, topic, records, start);
    rd_kafka_t *consumer = new_consumer(session, settings);
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(kPartitions);
    for (int p = 0; p < kPartitions; p++) {
        rd_kafka_topic_partition_list_add(partitions, topic, p)->offset = start[p] == 0 ? RD_KAFKA_OFFSET_BEGINNING : start[p];
    }
    check_error("assign", rd_kafka_assign(consumer, partitions), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(partitions);

    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
    static rd_kafka_message_t *messages[kBatch];
    int at_end = 0;
    time_t last_message = time(NULL);
    while (at_end < kPartitions) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 500, messages, kBatch);
        for (ssize_t m = 0; m < count; m++) {
            const rd_kafka_message_t *message = messages[m];
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                int64_t end = expected_count(message->partition, records);
                // with acks=0 the reader can be at the end before the writer's last batch is there
                if (message->offset > end) fail("%s-%d ends at %lld", topic, message->partition, (long long)message->offset);
                if (message->offset == end) at_end++;
            } else {
                checker_see(&checker, message);
            }
            rd_kafka_message_destroy(messages[m]);
        }
        if (count > 0) last_message = time(NULL);
        if (time(NULL) - last_message > kTimeoutMs / 1000) {
            fail("%s: nothing within %d ms; %d of %d records are missing", topic, kTimeoutMs, checker.missing, records);
        }
    }
    if (checker.missing != 0) fail("%s: %d of %d records are missing", topic, checker.missing, records);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

static void check_offsets(const session_t *session, const char *topic, int records) {
    int target = records / 2;
    for (int p = 0; p < kPartitions; p++) {
        int64_t low, high, count = expected_count(p, records);
        check_error("query_watermark_offsets", rd_kafka_query_watermark_offsets(session->client, topic, p, &low, &high, kTimeoutMs),
                    RD_KAFKA_RESP_ERR_NO_ERROR);
        if (low != 0 || high != count) {
            fail("%s-%d: offsets %lld to %lld, expected 0 to %lld", topic, p, (long long)low, (long long)high, (long long)count);
        }
        int first = target;
        while (first % kPartitions != p) first++;
        const struct { int64_t timestamp, offset; } cases[] = {
            {0, 0}, {expected_timestamp(target), first / kPartitions}, {expected_timestamp(first) - 1, first / kPartitions},
            {expected_timestamp(records), RD_KAFKA_OFFSET_END}};
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            rd_kafka_topic_partition_list_t *times = rd_kafka_topic_partition_list_new(1);
            rd_kafka_topic_partition_list_add(times, topic, p)->offset = cases[c].timestamp;
            check_error("offsets_for_times", rd_kafka_offsets_for_times(session->client, times, kTimeoutMs), RD_KAFKA_RESP_ERR_NO_ERROR);
            check_error("offsets_for_times of a partition", times->elems[0].err, RD_KAFKA_RESP_ERR_NO_ERROR);
            if (times->elems[0].offset != cases[c].offset) {
                fail("%s-%d: offset at time %lld is %lld, expected %lld", topic, p, (long long)cases[c].timestamp,
                     (long long)times->elems[0].offset, (long long)cases[c].offset);
            }
            rd_kafka_topic_partition_list_destroy(times);
        }
    }
}

int main(int argc, char **argv) {
    session_t session = session_open(argc, argv);
    const int64_t beginning[kPartitions] = {0, 0, 0};
    int64_t middle[kPartitions], last[kPartitions];
    int last_records = session.records < 20000 ? session.records : 20000;
    for (int p = 0; p < kPartitions; p++) {
        middle[p] = expected_count(p, session.records) / 2;
        last[p] = expected_count(p, session.records - last_records);
    }
    char topics[kCodecCount + 2][kTopicNameMax];
    for (int c = 0; c < kCodecCount; c++) {
        topic_name(&session, kCodecs[c], topics[c]);
        create_topic(&session, topics[c], kPartitions);
        produce(&session, topics[c], session.records, (const char *const[]){"compression.type", kCodecs[c], "enable.idempotence", "true",
                "linger.ms", "5", NULL}, true);
        consume(&session, topics[c], session.records, beginning, NULL);
        consume(&session, topics[c], session.records, middle, (const char *const[]){"isolation.level", "read_committed", NULL});
        consume(&session, topics[c], session.records, last, (const char *const[]){"max.partition.fetch.bytes", "16384", NULL});
        check_offsets(&session, topics[c], session.records);
        printf("%s %d, ", kCodecs[c], session.records);
    }
    int fewer = session.records < 10000 ? 1000 : session.records / 10;
    for (int acks = 1; acks >= 0; acks--) {
        char *topic = topics[kCodecCount + acks];
        topic_name(&session, acks ? "acks1" : "acks0", topic);
        create_topic(&session, topic, kPartitions);
        // one request in flight keeps the order without idempotence
        produce(&session, topic, fewer, (const char *const[]){"compression.type", "lz4", "acks", acks ? "1" : "0",
                "max.in.flight.requests.per.connection", "1", "linger.ms", "5", NULL}, acks != 0);
        consume(&session, topic, fewer, beginning, NULL);
        printf("acks=%d %d%s", acks, fewer, acks ? ", " : "\n");
    }
    for (int t = 0; t < kCodecCount + 2; t++) check_error(topics[t], try_delete_topic(&session, topics[t]), RD_KAFKA_RESP_ERR_NO_ERROR);
    session_close(&session);
    return 0;
}
