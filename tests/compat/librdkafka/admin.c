/* librdkafka's admin requests: topics, partitions, settings, deleted records. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "expected.h"
#include "session.h"

/* Error and partition count of a topic in metadata. */
static rd_kafka_resp_err_t describe(const session_t *session, const char *name, int *partitions) {
    rd_kafka_topic_t *topic = rd_kafka_topic_new(session->client, name, NULL);
    const struct rd_kafka_metadata *metadata;
    check_error("metadata", rd_kafka_metadata(session->client, 0, topic, &metadata, kTimeoutMs), RD_KAFKA_RESP_ERR_NO_ERROR);
    if (metadata->broker_cnt != 1) fail("metadata names %d brokers, expected 1", metadata->broker_cnt);
    if (metadata->topic_cnt != 1) fail("metadata of %s names %d topics", name, metadata->topic_cnt);
    rd_kafka_resp_err_t error = metadata->topics[0].err;
    *partitions = metadata->topics[0].partition_cnt;
    for (int p = 0; p < *partitions; p++) {
        const struct rd_kafka_metadata_partition *partition = &metadata->topics[0].partitions[p];
        int broker = metadata->brokers[0].id;
        if (partition->err || partition->leader != broker || partition->replica_cnt != 1 || partition->replicas[0] != broker ||
            partition->isr_cnt != 1 || partition->isrs[0] != broker) {
            fail("%s-%d: error %s, leader %d, %d replicas, %d in sync", name, partition->id, rd_kafka_err2name(partition->err),
                 partition->leader, partition->replica_cnt, partition->isr_cnt);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return error;
}

/* Waits until metadata shows this error and this partition count. */
static void await_description(const session_t *session, const char *name, rd_kafka_resp_err_t expected, int expected_partitions) {
    time_t end = time(NULL) + kTimeoutMs / 1000;
    while (true) {
        int partitions;
        rd_kafka_resp_err_t error = describe(session, name, &partitions);
        if (error == expected && partitions == expected_partitions) return;
        if (time(NULL) > end) {
            fail("%s: metadata shows %s and %d partitions, expected %s and %d", name, rd_kafka_err2name(error), partitions,
                 rd_kafka_err2name(expected), expected_partitions);
        }
        rd_kafka_poll(session->client, 20);
    }
}

static rd_kafka_resp_err_t create_partitions(const session_t *session, const char *name, size_t total) {
    char problem[512];
    rd_kafka_NewPartitions_t *partitions = rd_kafka_NewPartitions_new(name, total, problem, sizeof problem);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(session->client);
    rd_kafka_CreatePartitions(session->client, &partitions, 1, NULL, queue);
    rd_kafka_event_t *event = wait_event(queue, "CreatePartitions");
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (!error) {
        size_t count;
        error = rd_kafka_topic_result_error(rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event),
                                                                                    &count)[0]);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(partitions);
    return error;
}

static rd_kafka_resp_err_t alter_configs(const session_t *session, const char *topic, const char *const *settings) {
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    for (; *settings; settings += 2) rd_kafka_ConfigResource_set_config(resource, settings[0], settings[1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(session->client);
    rd_kafka_AlterConfigs(session->client, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = wait_event(queue, "AlterConfigs");
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (!error) {
        size_t count;
        error = rd_kafka_ConfigResource_error(rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count)[0]);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    return error;
}

/* The event of DescribeConfigs; its entries live as long as it does. */
static rd_kafka_event_t *describe_configs(const session_t *session, rd_kafka_ResourceType_t type, const char *name,
                                          const rd_kafka_ConfigEntry_t ***entries, size_t *count, rd_kafka_resp_err_t *error) {
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(type, name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(session->client);
    rd_kafka_DescribeConfigs(session->client, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = wait_event(queue, "DescribeConfigs");
    *error = rd_kafka_event_error(event);
    if (!*error) {
        size_t resources;
        const rd_kafka_ConfigResource_t *described =
            rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &resources)[0];
        *error = rd_kafka_ConfigResource_error(described);
        *entries = rd_kafka_ConfigResource_configs(described, count);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    return event;
}

typedef struct {
    const char *name;
    const char *value;
    rd_kafka_ConfigSource_t source;
} setting_t;

/* What is wrong with the settings of a topic; empty when all are as expected. */
static void settings_problem(const session_t *session, const char *topic, const setting_t *expected, size_t count, char *problem,
                             size_t size) {
    const rd_kafka_ConfigEntry_t **entries;
    size_t entry_count;
    rd_kafka_resp_err_t error;
    rd_kafka_event_t *event = describe_configs(session, RD_KAFKA_RESOURCE_TOPIC, topic, &entries, &entry_count, &error);
    check_error("DescribeConfigs", error, RD_KAFKA_RESP_ERR_NO_ERROR);
    problem[0] = '\0';
    for (size_t s = 0; s < count && !problem[0]; s++) {
        const rd_kafka_ConfigEntry_t *found = NULL;
        for (size_t e = 0; e < entry_count; e++) {
            if (strcmp(rd_kafka_ConfigEntry_name(entries[e]), expected[s].name) == 0) found = entries[e];
        }
        const char *value = found ? rd_kafka_ConfigEntry_value(found) : NULL;
        if (!found) {
            snprintf(problem, size, "%s: %s is not described", topic, expected[s].name);
        } else if (!value || strcmp(value, expected[s].value) != 0 || rd_kafka_ConfigEntry_source(found) != expected[s].source ||
                   rd_kafka_ConfigEntry_is_read_only(found) || rd_kafka_ConfigEntry_is_sensitive(found)) {
            snprintf(problem, size, "%s: %s is %s from %s, expected %s from %s", topic, expected[s].name, value ? value : "null",
                     rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(found)), expected[s].value,
                     rd_kafka_ConfigSource_name(expected[s].source));
        }
    }
    rd_kafka_event_destroy(event);
}

static void await_settings(const session_t *session, const char *topic, const setting_t *expected, size_t count) {
    char problem[512];
    time_t end = time(NULL) + kTimeoutMs / 1000;
    do {
        settings_problem(session, topic, expected, count, problem, sizeof problem);
        if (!problem[0]) return;
        rd_kafka_poll(session->client, 20);
    } while (time(NULL) <= end);
    fail("%s", problem);
}

static void check_topics(const session_t *session) {
    char name[kTopicNameMax], other[kTopicNameMax];
    topic_name(session, "admin", name);
    await_description(session, name, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 0);
    create_topic(session, name, 2);
    await_description(session, name, RD_KAFKA_RESP_ERR_NO_ERROR, 2);
    check_error("creating it again", try_create_topic(session, name, 2, NULL), RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
    topic_name(session, "a/b", other);
    check_error("creating a bad name", try_create_topic(session, other, 1, NULL), RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
    topic_name(session, "bad-setting", other);
    check_error("creating with a bad setting", try_create_topic(session, other, 1, (const char *const[]){"retention.ms", "soon", NULL}),
                RD_KAFKA_RESP_ERR_INVALID_CONFIG);

    check_error("more partitions", create_partitions(session, name, 5), RD_KAFKA_RESP_ERR_NO_ERROR);
    await_description(session, name, RD_KAFKA_RESP_ERR_NO_ERROR, 5);
    check_error("fewer partitions", create_partitions(session, name, 3), RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
    check_error("partitions of an unknown topic", create_partitions(session, other, 3), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);

    check_error("deleting", try_delete_topic(session, name), RD_KAFKA_RESP_ERR_NO_ERROR);
    await_description(session, name, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 0);
    check_error("deleting again", try_delete_topic(session, name), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

static void check_configs(const session_t *session) {
    char name[kTopicNameMax];
    topic_name(session, "configs", name);
    create_topic(session, name, 1);
    const setting_t created[] = {{"retention.ms", "-1", RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG},
                                 {"cleanup.policy", "delete", RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG},
                                 {"max.message.bytes", "1048588", RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG}};
    await_settings(session, name, created, 3);
    // AlterConfigs replaces all settings: what is not named goes back to its default
    check_error("altering", alter_configs(session, name, (const char *const[]){"cleanup.policy", "compact,delete", "max.message.bytes",
                                                                               "2000000", NULL}),
                RD_KAFKA_RESP_ERR_NO_ERROR);
    const setting_t altered[] = {{"retention.ms", "604800000", RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG},
                                 {"cleanup.policy", "compact,delete", RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG},
                                 {"max.message.bytes", "2000000", RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG}};
    await_settings(session, name, altered, 3);
    check_error("altering to a bad value", alter_configs(session, name, (const char *const[]){"max.message.bytes", "many", NULL}),
                RD_KAFKA_RESP_ERR_INVALID_CONFIG);
    await_settings(session, name, altered, 3);
    check_error("deleting", try_delete_topic(session, name), RD_KAFKA_RESP_ERR_NO_ERROR);
    const rd_kafka_ConfigEntry_t **entries;
    size_t count;
    rd_kafka_resp_err_t error;
    await_description(session, name, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 0);
    rd_kafka_event_destroy(describe_configs(session, RD_KAFKA_RESOURCE_TOPIC, name, &entries, &count, &error));
    check_error("settings of a deleted topic", error, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

static void check_broker_configs(const session_t *session) {
    const struct rd_kafka_metadata *metadata;
    check_error("metadata", rd_kafka_metadata(session->client, 0, NULL, &metadata, kTimeoutMs), RD_KAFKA_RESP_ERR_NO_ERROR);
    char broker[16];
    snprintf(broker, sizeof broker, "%d", metadata->brokers[0].id);
    if (rd_kafka_controllerid(session->client, kTimeoutMs) != metadata->brokers[0].id) fail("the only broker is not the controller");
    rd_kafka_metadata_destroy(metadata);
    const rd_kafka_ConfigEntry_t **entries;
    size_t count = 0;
    rd_kafka_resp_err_t error;
    rd_kafka_event_t *event = describe_configs(session, RD_KAFKA_RESOURCE_BROKER, broker, &entries, &count, &error);
    check_error("settings of the broker", error, RD_KAFKA_RESP_ERR_NO_ERROR);
    bool found = false;
    for (size_t e = 0; e < count; e++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[e]), "log.dirs") != 0) continue;
        found = true;
        if (rd_kafka_ConfigEntry_source(entries[e]) != RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG ||
            !rd_kafka_ConfigEntry_is_read_only(entries[e])) {
            fail("log.dirs is from %s, read-only %d", rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(entries[e])),
                 rd_kafka_ConfigEntry_is_read_only(entries[e]));
        }
    }
    if (!found) fail("log.dirs is not among the %zu settings of the broker", count);
    rd_kafka_event_destroy(event);
}

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    *(rd_kafka_resp_err_t *)opaque = message->err;
}

static rd_kafka_resp_err_t delete_records(const session_t *session, const char *topic, int64_t before, int64_t *low) {
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(offsets, topic, 0)->offset = before;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(offsets);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(session->client);
    rd_kafka_DeleteRecords(session->client, &request, 1, NULL, queue);
    rd_kafka_event_t *event = wait_event(queue, "DeleteRecords");
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (!error) {
        const rd_kafka_topic_partition_list_t *result = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
        error = result->elems[0].err;
        *low = result->elems[0].offset;
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(offsets);
    return error;
}

/* Error and offset of the first message from an offset on. */
static rd_kafka_resp_err_t read_one(const session_t *session, const char *topic, int64_t from, int64_t *offset) {
    rd_kafka_t *consumer = new_consumer(session, NULL);
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(partitions, topic, 0)->offset = from;
    check_error("assign", rd_kafka_assign(consumer, partitions), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, kTimeoutMs);
    if (!message) fail("%s-0: nothing from offset %lld within %d ms", topic, (long long)from, kTimeoutMs);
    rd_kafka_resp_err_t error = message->err;
    *offset = message->offset;
    rd_kafka_message_destroy(message);
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return error;
}

static void check_records(const session_t *session) {
    char name[kTopicNameMax];
    topic_name(session, "records", name);
    create_topic(session, name, 1);
    rd_kafka_resp_err_t delivered = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_t *producer = new_client(session, RD_KAFKA_PRODUCER, (const char *const[]){"message.max.bytes", "3000000", "batch.num.messages",
                                      "100", NULL}, on_delivery, &delivered);
    for (int i = 0; i < session->records; i++) {
        check_error("producing", rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(name), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE((void *)"v", 1),
                                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                    RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    check_error("flush", rd_kafka_flush(producer, kTimeoutMs), RD_KAFKA_RESP_ERR_NO_ERROR);
    check_error("delivery", delivered, RD_KAFKA_RESP_ERR_NO_ERROR);
    static char large[2000000];
    check_error("producing 2 MB", rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(name), RD_KAFKA_V_PARTITION(0),
                                                    RD_KAFKA_V_VALUE(large, sizeof large), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                                    RD_KAFKA_V_END),
                RD_KAFKA_RESP_ERR_NO_ERROR);
    check_error("flush", rd_kafka_flush(producer, kTimeoutMs), RD_KAFKA_RESP_ERR_NO_ERROR);
    check_error("delivery of 2 MB", delivered, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    rd_kafka_destroy(producer);

    int64_t start = session->records / 2, low = -1, offset = -1, high = -1;
    check_error("deleting records", delete_records(session, name, start, &low), RD_KAFKA_RESP_ERR_NO_ERROR);
    if (low != start) fail("%s-0: low watermark %lld after deleting before %lld", name, (long long)low, (long long)start);
    check_error("watermarks", rd_kafka_query_watermark_offsets(session->client, name, 0, &low, &high, kTimeoutMs),
                RD_KAFKA_RESP_ERR_NO_ERROR);
    if (low != start || high != session->records) {
        fail("%s-0: offsets %lld to %lld, expected %lld to %d", name, (long long)low, (long long)high, (long long)start, session->records);
    }
    check_error("deleting records after the end", delete_records(session, name, session->records + 1, &low),
                RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    // librdkafka tells "out of range, and auto.offset.reset=error" with a code of its own
    check_error("reading before the start", read_one(session, name, start - 1, &offset), RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
    check_error("reading after the end", read_one(session, name, session->records + 1, &offset), RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
    check_error("reading at the start", read_one(session, name, start, &offset), RD_KAFKA_RESP_ERR_NO_ERROR);
    if (offset != start) fail("%s-0: the first record from %lld has offset %lld", name, (long long)start, (long long)offset);
    check_error("reading at the end", read_one(session, name, session->records, &offset), RD_KAFKA_RESP_ERR__PARTITION_EOF);
    check_error("deleting", try_delete_topic(session, name), RD_KAFKA_RESP_ERR_NO_ERROR);
}

int main(int argc, char **argv) {
    session_t session = session_open(argc, argv);
    check_topics(&session);
    check_configs(&session);
    check_broker_configs(&session);
    check_records(&session);
    session_close(&session);
    printf("topics, partitions, settings, deleted records\n");
    return 0;
}
