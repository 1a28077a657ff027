#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

_Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "FAILED ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

void check_error(const char *what, rd_kafka_resp_err_t actual, rd_kafka_resp_err_t expected) {
    if (actual != expected) fail("%s: %s, expected %s", what, rd_kafka_err2name(actual), rd_kafka_err2name(expected));
}

session_t session_open(int argc, char **argv) {
    if (argc != 4) fail("usage: %s BOOTSTRAP RECORDS TOPIC_PREFIX", argv[0]);
    session_t session = {.bootstrap = argv[1], .records = atoi(argv[2]), .prefix = argv[3]};
    session.client = new_client(&session, RD_KAFKA_CONSUMER, (const char *const[]){"allow.auto.create.topics", "false", NULL}, NULL, NULL);
    return session;
}

void session_close(session_t *session) {
    rd_kafka_destroy(session->client);
}

rd_kafka_t *new_client(const session_t *session, rd_kafka_type_t type, const char *const *settings,
                       void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *), void *opaque) {
    char problem[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", session->bootstrap, problem, sizeof problem)) fail("%s", problem);
    for (; settings && *settings; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], problem, sizeof problem)) fail("%s", problem);
    }
    if (delivered) rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, opaque);
    rd_kafka_t *client = rd_kafka_new(type, conf, problem, sizeof problem);
    if (!client) fail("%s", problem);
    return client;
}

rd_kafka_t *new_consumer(const session_t *session, const char *const *settings) {
    const char *all[32] = {"group.id", "compat-unused", "enable.auto.commit", "false", "auto.offset.reset", "error",
                           "enable.partition.eof", "true", "check.crcs", "true"};
    size_t count = 10;
    for (; settings && *settings && count < 30; settings++) all[count++] = *settings;
    all[count] = NULL;
    rd_kafka_t *consumer = new_client(session, RD_KAFKA_CONSUMER, all, NULL, NULL);
    rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

void topic_name(const session_t *session, const char *suffix, char name[kTopicNameMax]) {
    snprintf(name, kTopicNameMax, "%s-%s", session->prefix, suffix);
}

rd_kafka_event_t *wait_event(rd_kafka_queue_t *queue, const char *what) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, kTimeoutMs);
    if (!event) fail("%s: no answer within %d ms", what, kTimeoutMs);
    return event;
}

rd_kafka_resp_err_t try_create_topic(const session_t *session, const char *name, int partitions, const char *const *settings) {
    char problem[512];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, problem, sizeof problem);
    if (!topic) fail("%s", problem);
    for (; settings && *settings; settings += 2) {
        check_error(settings[0], rd_kafka_NewTopic_set_config(topic, settings[0], settings[1]), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(session->client);
    rd_kafka_CreateTopics(session->client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = wait_event(queue, "CreateTopics");
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (!error) {
        size_t count;
        const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        if (count != 1) fail("CreateTopics of %s: %zu results", name, count);
        error = rd_kafka_topic_result_error(results[0]);
        if (error && !rd_kafka_topic_result_error_string(results[0])) fail("CreateTopics of %s: an error without a message", name);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return error;
}

void create_topic(const session_t *session, const char *name, int partitions) {
    check_error(name, try_create_topic(session, name, partitions, (const char *const[]){"retention.ms", "-1", NULL}),
                RD_KAFKA_RESP_ERR_NO_ERROR);
    time_t end = time(NULL) + kTimeoutMs / 1000;
    for (int p = 0; p < partitions;) {
        int64_t low, high;
        rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(session->client, name, p, &low, &high, kTimeoutMs);
        if (!error) {
            if (low != 0 || high != 0) fail("%s-%d is new, with offsets %lld to %lld", name, p, (long long)low, (long long)high);
            p++;
        } else if (time(NULL) > end) {
            fail("%s-%d has no leader after %d ms: %s", name, p, kTimeoutMs, rd_kafka_err2name(error));
        } else {
            rd_kafka_poll(session->client, 20);
        }
    }
}

rd_kafka_resp_err_t try_delete_topic(const session_t *session, const char *name) {
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(session->client);
    rd_kafka_DeleteTopics(session->client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = wait_event(queue, "DeleteTopics");
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (!error) {
        size_t count;
        const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
        if (count != 1) fail("DeleteTopics of %s: %zu results", name, count);
        error = rd_kafka_topic_result_error(results[0]);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(topic);
    return error;
}
