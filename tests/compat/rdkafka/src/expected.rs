//! The records that the client writes and checks; ../../shared/README.md defines them.

use std::time::{Duration, Instant};

pub const PARTITIONS: usize = 3;
pub const FIRST_TIMESTAMP: i64 = 1_700_000_000_000;
pub const TIMESTAMP_STEP: i64 = 10;
const LARGE_VALUE: usize = 20_000;

/// What the broker did wrong.
pub type Check<T = ()> = Result<T, String>;

pub fn require(condition: bool, message: impl FnOnce() -> String) -> Check {
    if condition { Ok(()) } else { Err(message()) }
}

/// A header; no value is null, which is not the same as empty.
pub type Header = (String, Option<Vec<u8>>);

#[derive(Debug)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<Header>,
    pub timestamp: i64,
}

/// Record `i` as it is on a topic to which nothing else was written.
pub fn record(i: usize) -> Record {
    Record {
        partition: (i % PARTITIONS) as i32,
        offset: (i / PARTITIONS) as i64,
        key: key(i),
        value: value(i),
        headers: headers(i),
        timestamp: timestamp(i),
    }
}

pub fn timestamp(i: usize) -> i64 {
    FIRST_TIMESTAMP + TIMESTAMP_STEP * i as i64
}

fn key(i: usize) -> Option<Vec<u8>> {
    match i % 10 {
        9 => None,
        8 => Some(Vec::new()),
        _ => Some(format!("key-{i}").into_bytes()),
    }
}

fn value(i: usize) -> Option<Vec<u8>> {
    match i % 10 {
        0 => None,
        1 => Some(Vec::new()),
        _ => {
            let length = if i % 1000 == 2 { LARGE_VALUE } else { i * 7919 % 300 };
            let mut value = format!("value-{i}:").into_bytes();
            value.extend((i % 256..i % 256 + length).map(|k| ((k * k) ^ (k >> 3)) as u8));
            Some(value)
        }
    }
}

fn headers(i: usize) -> Vec<Header> {
    let index = || ("index".to_string(), Some(i.to_string().into_bytes()));
    match i % 4 {
        1 => vec![index()],
        2 => vec![index(), ("empty".to_string(), Some(Vec::new()))],
        3 => vec![index(), ("null".to_string(), None), ("index".to_string(), Some(b"again".to_vec()))],
        _ => Vec::new(),
    }
}

/// How many of the records 0 .. records-1 the partition holds.
pub fn count_in_partition(records: usize, partition: usize) -> i64 {
    (partition..records).step_by(PARTITIONS).count() as i64
}

/// The first record of the partition that is not before record `i`.
pub fn first_at_or_after(i: usize, partition: usize) -> usize {
    (i..).find(|i| i % PARTITIONS == partition).unwrap()
}

pub fn start_offsets() -> Vec<i64> {
    vec![0; PARTITIONS]
}

pub fn middle_offsets(records: usize) -> Vec<i64> {
    (0..PARTITIONS).map(|p| count_in_partition(records, p) / 2).collect()
}

/// Checks what a reader sees of one topic.
pub struct Checker {
    topic: String,
    next: Vec<i64>,
    seen: Vec<bool>,
    left: usize,
    repeated: Vec<usize>,
}

impl Checker {
    /// Expects the records 0 .. records-1 from the given offset of each partition.
    pub fn new(topic: &str, records: usize, start: &[i64]) -> Checker {
        let seen: Vec<bool> = (0..records).map(|i| ((i / PARTITIONS) as i64) < start[i % PARTITIONS]).collect();
        let left = seen.iter().filter(|seen| !**seen).count();
        Checker { topic: topic.to_string(), next: start.to_vec(), seen, left, repeated: Vec::new() }
    }

    /// Checks the next record that the reader got. The timestamp says which record it is.
    pub fn see(&mut self, actual: Record) -> Check {
        let place = format!("{}-{} offset {}", self.topic, actual.partition, actual.offset);
        let since = actual.timestamp - FIRST_TIMESTAMP;
        let i = (since / TIMESTAMP_STEP) as usize;
        require(since >= 0 && since % TIMESTAMP_STEP == 0 && i < self.seen.len(), || {
            format!("{place}: timestamp {} belongs to no record", actual.timestamp)
        })?;
        let wanted = record(i);
        let differs = |field: &str, actual: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
            format!("{place}, record {i}: {field} is {actual:?}, expected {wanted:?}")
        };
        require(actual.partition == wanted.partition, || differs("partition", &actual.partition, &wanted.partition))?;
        require(actual.key == wanted.key, || differs("key", &actual.key, &wanted.key))?;
        require(actual.value == wanted.value, || differs("value", &actual.value, &wanted.value))?;
        require(actual.headers == wanted.headers, || differs("headers", &actual.headers, &wanted.headers))?;
        if self.seen[i] {
            self.repeated.push(i);
        } else {
            self.seen[i] = true;
            self.left -= 1;
        }
        let next = &mut self.next[actual.partition as usize];
        if self.repeated.is_empty() {
            require(actual.offset == *next, || {
                format!("{place}, record {i}: expected offset {next}; {} records not seen so far", self.left)
            })?;
            require(actual.offset == wanted.offset, || differs("offset", &actual.offset, &wanted.offset))?;
        }
        *next = actual.offset + 1;
        Ok(())
    }

    /// Whether every record was seen.
    pub fn done(&self) -> bool {
        self.left == 0
    }

    /// Tells which records were lost or repeated.
    pub fn finish(&self) -> Check {
        let mut problems = Vec::new();
        if let Some(first) = self.seen.iter().position(|seen| !seen) {
            problems.push(format!("{} of {} records lost, first {first}", self.left, self.seen.len()));
        }
        if let Some(first) = self.repeated.iter().min() {
            problems.push(format!("{} records repeated, first {first}", self.repeated.len()));
        }
        require(problems.is_empty(), || format!("{}: {}", self.topic, problems.join("; ")))
    }
}

/// Bounds a wait; `what` names it when it was missed.
pub struct Deadline {
    end: Instant,
    what: String,
}

impl Deadline {
    pub fn new(after: Duration, what: String) -> Deadline {
        Deadline { end: Instant::now() + after, what }
    }

    pub fn check(&self) -> Check {
        require(Instant::now() < self.end, || format!("gave up waiting for {}", self.what))
    }
}
