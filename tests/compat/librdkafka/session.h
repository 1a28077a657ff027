/* One run of a program: arguments, clients, topics. Every failed check ends the program with status 1 and a last line that says what differed. */
#pragma once

#include <stdbool.h>
#include <librdkafka/rdkafka.h>

enum { kTimeoutMs = 30000, kTopicNameMax = 256 };

typedef struct {
    const char *bootstrap;
    int records;
    const char *prefix;
    rd_kafka_t *client; /* for admin requests and metadata; it never creates topics by asking for them */
} session_t;

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

session_t session_open(int argc, char **argv);
void session_close(session_t *session);

/* A client with key, value, key, value, …, NULL on top of bootstrap.servers. */
rd_kafka_t *new_client(const session_t *session, rd_kafka_type_t type, const char *const *settings,
                       void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *), void *opaque);
/* A consumer for assign(): group.id is set because librdkafka requires it; nothing here subscribes or commits. */
rd_kafka_t *new_consumer(const session_t *session, const char *const *settings);

/* Writes "<prefix>-<suffix>" to name. */
void topic_name(const session_t *session, const char *suffix, char name[kTopicNameMax]);
/* Creates a topic with settings key, value, …, NULL; returns the broker's error. */
rd_kafka_resp_err_t try_create_topic(const session_t *session, const char *name, int partitions, const char *const *settings);
/* Creates it with retention.ms=-1 and waits until the broker leads its partitions. */
void create_topic(const session_t *session, const char *name, int partitions);
rd_kafka_resp_err_t try_delete_topic(const session_t *session, const char *name);

/* The next event of an admin request's queue; ends the program when there is none within kTimeoutMs. The caller destroys it. */
rd_kafka_event_t *wait_event(rd_kafka_queue_t *queue, const char *what);
void check_error(const char *what, rd_kafka_resp_err_t actual, rd_kafka_resp_err_t expected);
