//! Compatibility test: the Rust crate rdkafka over librdkafka. usage: program BOOTSTRAP RECORDS TOPIC_PREFIX

mod expected;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use expected::{Check, Checker, Deadline, PARTITIONS, require};
use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::{Client, DefaultClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];
const TIMEOUT: Duration = Duration::from_secs(30);

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn config(bootstrap: &str, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config
}

/// The outcome of an admin request about one thing.
fn only<T, N>(mut results: Vec<Result<T, (N, RDKafkaErrorCode)>>) -> Result<(), RDKafkaErrorCode> {
    results.remove(0).map(|_| ()).map_err(|(_, code)| code)
}

/// Keeps the first thing that went wrong with a delivery.
#[derive(Default)]
struct Deliveries {
    check_offsets: bool,
    problem: Mutex<Option<(String, Option<RDKafkaErrorCode>)>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, i: usize) {
        let problem = match result {
            Err((error, _)) => Some((format!("record {i} was refused: {error}"), error.rdkafka_error_code())),
            Ok(message) if self.check_offsets && message.offset() != expected::record(i).offset => {
                Some((format!("record {i} acknowledged at offset {}", message.offset()), None))
            }
            Ok(_) => None,
        };
        if problem.is_some() {
            self.problem.lock().unwrap().get_or_insert(problem.unwrap());
        }
    }
}

fn plain(message: &BorrowedMessage) -> expected::Record {
    expected::Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map_or(Vec::new(), |headers| {
            headers.iter().map(|h| (h.key.to_string(), h.value.map(<[u8]>::to_vec))).collect()
        }),
        timestamp: message.timestamp().to_millis().unwrap_or(-1),
    }
}

/// One run against one broker.
struct Test {
    bootstrap: String,
    admin: AdminClient<DefaultClientContext>,
    options: AdminOptions,
}

impl Test {
    fn new(bootstrap: &str) -> Check<Test> {
        let admin = config(bootstrap, &[]).create().map_err(shown)?;
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
        Ok(Test { bootstrap: bootstrap.to_string(), admin, options })
    }

    /// Creates a topic; the outer result is the request's, the inner the topic's.
    fn try_create(&self, topic: &str, partitions: i32, settings: &[(&str, &str)]) -> Check<Result<(), RDKafkaErrorCode>> {
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1)).set("retention.ms", "-1");
        for (name, value) in settings {
            new = new.set(name, value);
        }
        let results = block_on(self.admin.create_topics([&new], &self.options)).map_err(shown)?;
        Ok(only(results))
    }

    fn create(&self, topic: &str) -> Check {
        self.try_create(topic, PARTITIONS as i32, &[])?.map_err(|code| format!("creating {topic}: {code}"))
    }

    fn try_delete(&self, topic: &str) -> Check<Result<(), RDKafkaErrorCode>> {
        let results = block_on(self.admin.delete_topics(&[topic], &self.options)).map_err(shown)?;
        Ok(only(results))
    }

    fn delete(&self, topic: &str) -> Check {
        self.try_delete(topic)?.map_err(|code| format!("deleting {topic}: {code}"))
    }

    fn produce(&self, topic: &str, records: usize, settings: &[(&str, &str)]) -> Check {
        let check_offsets = !settings.contains(&("acks", "0"));
        let producer: ThreadedProducer<Deliveries> = config(&self.bootstrap, settings)
            .set("linger.ms", "5")
            .create_with_context(Deliveries { check_offsets, ..Deliveries::default() })
            .map_err(shown)?;
        for i in 0..records {
            let r = expected::record(i);
            let mut headers = OwnedHeaders::new();
            for (key, value) in &r.headers {
                headers = headers.insert(Header { key, value: value.as_ref() });
            }
            let mut message = BaseRecord::with_opaque_to(topic, i).partition(r.partition).timestamp(r.timestamp).headers(headers);
            message.key = r.key.as_ref();
            message.payload = r.value.as_ref();
            while let Err((error, again)) = producer.send(message) {
                require(error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull), || format!("{topic}: record {i}: {error}"))?;
                producer.flush(Duration::from_millis(100)).ok();
                message = again;
            }
        }
        producer.flush(Duration::from_secs(60)).map_err(|error| format!("{topic}: flushing: {error}"))?;
        match producer.context().problem.lock().unwrap().take() {
            Some((problem, _)) => Err(format!("{topic}: {problem}")),
            None => Ok(()),
        }
    }

    /// A reader of the partitions from the given offsets. librdkafka assigns only with a group.id; nothing here subscribes, commits or joins.
    fn consumer(&self, topic: &str, start: &[i64]) -> Check<BaseConsumer> {
        let settings = [("group.id", "brook-compat-unused"), ("enable.auto.commit", "false"), ("auto.offset.reset", "error")];
        let consumer: BaseConsumer = config(&self.bootstrap, &settings).create().map_err(shown)?;
        let mut partitions = TopicPartitionList::new();
        for (p, offset) in start.iter().enumerate() {
            partitions.add_partition_offset(topic, p as i32, Offset::Offset(*offset)).map_err(shown)?;
        }
        consumer.assign(&partitions).map_err(shown)?;
        Ok(consumer)
    }

    fn consume(&self, topic: &str, records: usize, start: &[i64]) -> Check {
        let mut checker = Checker::new(topic, records, start);
        let consumer = self.consumer(topic, start)?;
        let deadline = Deadline::new(Duration::from_secs(60), format!("the records of {topic}"));
        while !checker.done() {
            if let Some(message) = consumer.poll(Duration::from_millis(500)) {
                checker.see(plain(&message.map_err(|error| format!("{topic}: reading: {error}"))?))?;
            }
            if let Err(late) = deadline.check() {
                checker.finish()?;
                return Err(late);
            }
        }
        require(consumer.poll(Duration::from_millis(200)).is_none(), || format!("{topic}: something after the last record"))?;
        checker.finish()
    }

    fn check_offsets(&self, topic: &str, records: usize) -> Check {
        let consumer = self.consumer(topic, &[])?;
        let by_time = |i: usize| {
            let mut request = TopicPartitionList::new();
            for p in 0..PARTITIONS {
                request.add_partition_offset(topic, p as i32, Offset::Offset(expected::timestamp(i))).map_err(shown)?;
            }
            consumer.offsets_for_times(request, TIMEOUT).map_err(|error| format!("{topic}: offsets by timestamp: {error}"))
        };
        let target = records / 2;
        let (at, after) = (by_time(target)?, by_time(records)?);
        for p in 0..PARTITIONS {
            let of = |list: &TopicPartitionList| list.find_partition(topic, p as i32).map(|found| found.offset());
            let wanted = Offset::Offset(expected::record(expected::first_at_or_after(target, p)).offset);
            require(of(&at) == Some(wanted), || format!("{topic}-{p}: offset by timestamp is {:?}, expected {wanted:?}", of(&at)))?;
            require(of(&after) == Some(Offset::End), || format!("{topic}-{p}: offset after the last is {:?}", of(&after)))?;
            let ends = consumer.fetch_watermarks(topic, p as i32, TIMEOUT).map_err(|error| format!("{topic}-{p}: {error}"))?;
            let wanted = (0, expected::count_in_partition(records, p));
            require(ends == wanted, || format!("{topic}-{p}: earliest and latest offset are {ends:?}, expected {wanted:?}"))?;
        }
        Ok(())
    }

    fn client(&self) -> &Client<DefaultClientContext> {
        self.admin.inner()
    }

    fn partition_count(&self, topic: &str) -> Check<usize> {
        let metadata = self.client().fetch_metadata(Some(topic), TIMEOUT).map_err(shown)?;
        Ok(metadata.topics()[0].partitions().len())
    }

    fn create_partitions(&self, topic: &str, count: usize) -> Check<Result<(), RDKafkaErrorCode>> {
        let results = block_on(self.admin.create_partitions([&NewPartitions::new(topic, count)], &self.options)).map_err(shown)?;
        Ok(only(results))
    }

    fn settings(&self, topic: &str) -> Check<HashMap<String, (Option<String>, ConfigSource)>> {
        let mut results = block_on(self.admin.describe_configs([&ResourceSpecifier::Topic(topic)], &self.options)).map_err(shown)?;
        let resource = results.remove(0).map_err(|code| format!("settings of {topic}: {code}"))?;
        Ok(resource.entries.into_iter().map(|entry| (entry.name, (entry.value, entry.source))).collect())
    }

    fn check_settings(&self, topic: &str, wanted: &[(&str, &str, ConfigSource)]) -> Check {
        let deadline = Deadline::new(TIMEOUT, format!("settings of {topic} to be {wanted:?}"));
        loop {
            let found = self.settings(topic)?;
            let same = |(name, value, source): &(&str, &str, ConfigSource)| {
                found.get(*name).is_some_and(|(actual, from)| actual.as_deref() == Some(*value) && from == source)
            };
            if wanted.iter().all(same) {
                return Ok(());
            }
            deadline.check()?;
        }
    }

    fn alter(&self, topic: &str, name: &str, value: &str) -> Check<Result<(), RDKafkaErrorCode>> {
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(name, value);
        let results = block_on(self.admin.alter_configs([&change], &self.options)).map_err(shown)?;
        Ok(only(results))
    }

    fn check_admin(&self, topic: &str) -> Check {
        let is = |what: &str, result: Result<(), RDKafkaErrorCode>, wanted: RDKafkaErrorCode| {
            require(result == Err(wanted), || format!("{what} {topic}: {result:?}, expected {wanted:?}"))
        };
        self.try_create(topic, 2, &[("segment.bytes", "1048576")])?.map_err(|code| format!("creating {topic}: {code}"))?;
        is("creating again", self.try_create(topic, 2, &[])?, RDKafkaErrorCode::TopicAlreadyExists)?;
        is("a bad name instead of", self.try_create("not a topic name", 2, &[])?, RDKafkaErrorCode::InvalidTopic)?;

        let deadline = Deadline::new(TIMEOUT, format!("2 partitions of {topic}"));
        while self.partition_count(topic)? != 2 {
            deadline.check()?;
        }
        let metadata = self.client().fetch_metadata(Some(topic), TIMEOUT).map_err(shown)?;
        for p in metadata.topics()[0].partitions() {
            let known = metadata.brokers().iter().any(|broker| broker.id() == p.leader());
            require(known && p.replicas() == [p.leader()] && p.isr() == [p.leader()], || {
                format!("{topic}-{}: leader {}, replicas {:?}, isr {:?}", p.id(), p.leader(), p.replicas(), p.isr())
            })?;
        }
        let all = self.client().fetch_metadata(None, TIMEOUT).map_err(shown)?;
        require(all.topics().iter().any(|listed| listed.name() == topic), || format!("{topic}: not in the list of all topics"))?;

        self.create_partitions(topic, 5)?.map_err(|code| format!("5 partitions of {topic}: {code}"))?;
        let deadline = Deadline::new(TIMEOUT, format!("5 partitions of {topic}"));
        while self.partition_count(topic)? != 5 {
            deadline.check()?;
        }
        is("fewer partitions of", self.create_partitions(topic, 3)?, RDKafkaErrorCode::InvalidPartitions)?;

        use ConfigSource::{Default, DynamicTopic};
        self.check_settings(topic, &[("segment.bytes", "1048576", DynamicTopic), ("retention.ms", "-1", DynamicTopic),
                                     ("max.message.bytes", "1048588", Default), ("cleanup.policy", "delete", Default)])?;
        // the older, not incremental request: what is not named goes back to its default
        self.alter(topic, "max.message.bytes", "2000000")?.map_err(|code| format!("altering settings of {topic}: {code}"))?;
        self.check_settings(topic, &[("max.message.bytes", "2000000", DynamicTopic), ("segment.bytes", "1073741824", Default),
                                     ("retention.ms", "604800000", Default)])?;
        // the crate drops the error of a single resource, so it shows only in what stays as it was
        self.alter(topic, "max.message.bytes", "many").ok();
        self.check_settings(topic, &[("max.message.bytes", "2000000", DynamicTopic)])?;

        self.delete(topic)?;
        let deadline = Deadline::new(TIMEOUT, format!("{topic} to be gone"));
        while self.client().fetch_metadata(None, TIMEOUT).map_err(shown)?.topics().iter().any(|listed| listed.name() == topic) {
            deadline.check()?;
        }
        is("deleting again", self.try_delete(topic)?, RDKafkaErrorCode::UnknownTopicOrPartition)
    }

    fn check_too_large(&self, topic: &str) -> Check {
        let producer: ThreadedProducer<Deliveries> =
            config(&self.bootstrap, &[("message.max.bytes", "3000000")]).create_with_context(Deliveries::default()).map_err(shown)?;
        let value = vec![0; 2_000_000];
        let message: BaseRecord<[u8], Vec<u8>, usize> = BaseRecord::with_opaque_to(topic, 0).partition(0).payload(&value);
        producer.send(message).map_err(|(error, _)| shown(error))?;
        producer.flush(TIMEOUT).map_err(shown)?;
        let problem = producer.context().problem.lock().unwrap().take();
        require(matches!(problem, Some((_, Some(RDKafkaErrorCode::MessageSizeTooLarge)))), || format!("{topic}: a record of 2 MB: {problem:?}"))
    }

    fn check_delete_records(&self, topic: &str) -> Check {
        let delete_below = |offset: i64| -> Check<Result<Offset, KafkaError>> {
            let mut request = TopicPartitionList::new();
            request.add_partition_offset(topic, 0, Offset::Offset(offset)).map_err(shown)?;
            let result = block_on(self.admin.delete_records(&request, &self.options)).map_err(shown)?;
            let partition = result.find_partition(topic, 0).ok_or("no answer about the partition")?;
            Ok(partition.error().map(|()| partition.offset()))
        };
        let low_watermark = delete_below(10)?;
        require(low_watermark == Ok(Offset::Offset(10)), || format!("{topic}-0: deleting below 10: {low_watermark:?}"))?;
        let result = delete_below(1 << 40)?.map_err(|error| error.rdkafka_error_code());
        require(result == Err(Some(RDKafkaErrorCode::OffsetOutOfRange)), || format!("{topic}-0: deleting past the end: {result:?}"))?;

        let consumer = self.consumer(topic, &[9])?;
        let (low, _) = consumer.fetch_watermarks(topic, 0, TIMEOUT).map_err(shown)?;
        require(low == 10, || format!("{topic}-0: earliest offset {low} after deleting below 10"))?;
        // librdkafka tells "out of range and auto.offset.reset=error" with its own code
        let error = consumer.poll(TIMEOUT).and_then(Result::err).and_then(|error| error.rdkafka_error_code());
        require(error == Some(RDKafkaErrorCode::AutoOffsetReset), || format!("{topic}-0: reading below the earliest offset: {error:?}"))?;
        let consumer = self.consumer(topic, &[10])?;
        let offset = consumer.poll(TIMEOUT).ok_or("no record")?.map_err(shown)?.offset();
        require(offset == 10, || format!("{topic}-0: reading at the earliest offset begins at {offset}"))
    }
}

fn check_all(bootstrap: &str, records: usize, prefix: &str) -> Check<String> {
    let test = Test::new(bootstrap)?;
    let mut passes = Vec::new();
    for acks in ["1", "0"] {
        test.create(&format!("{prefix}-acks{acks}"))?; // early: see ../../shared/README.md
    }
    for codec in CODECS {
        let topic = format!("{prefix}-{codec}");
        test.create(&topic)?;
        test.produce(&topic, records, &[("compression.type", codec), ("acks", "all"), ("enable.idempotence", "true")])?;
        test.consume(&topic, records, &expected::start_offsets())?;
        test.consume(&topic, records, &expected::middle_offsets(records))?;
        test.check_offsets(&topic, records)?;
        passes.push(format!("{codec} {records}"));
    }
    for acks in ["1", "0"] {
        let topic = format!("{prefix}-acks{acks}");
        test.produce(&topic, 1000, &[("acks", acks), ("compression.type", "lz4")])?;
        test.consume(&topic, 1000, &expected::start_offsets())?;
        passes.push(format!("acks={acks} 1000"));
    }
    test.check_too_large(&format!("{prefix}-acks1"))?;
    test.check_delete_records(&format!("{prefix}-none"))?;
    test.check_admin(&format!("{prefix}-admin"))?;
    for name in CODECS.into_iter().chain(["acks1", "acks0"]) {
        test.delete(&format!("{prefix}-{name}"))?;
    }
    Ok(passes.join(", "))
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, bootstrap, records, prefix] = arguments.as_slice() else {
        eprintln!("usage: program BOOTSTRAP RECORDS TOPIC_PREFIX");
        std::process::exit(2);
    };
    match check_all(bootstrap, records.parse().expect("RECORDS is a number"), prefix) {
        Ok(passes) => println!("ok rdkafka: {passes}"),
        Err(problem) => {
            eprintln!("FAILED {problem}");
            std::process::exit(1);
        }
    }
}
