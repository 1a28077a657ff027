'use strict'
// The records that the client writes and checks; ../shared/README.md defines them.
// kafkajs keeps headers in an object, so it writes and shows equal names together: index=<i>, index=again, null.
// It cannot write a null header value; an empty one stands in.

const assert = require('node:assert')

const PARTITIONS = 3
const FIRST_TIMESTAMP = 1_700_000_000_000
const TIMESTAMP_STEP = 10
const LARGE_VALUE = 20_000
const PATTERN = Buffer.from(Array.from({ length: 256 + LARGE_VALUE }, (_, k) => ((k * k) ^ (k >> 3)) & 0xff))

/** The broker did not do what the message says. */
class CheckFailed extends Error {}

function require_(condition, message) {
  if (!condition) throw new CheckFailed(message)
}

const partitionOf = i => i % PARTITIONS
const timestampOf = i => FIRST_TIMESTAMP + TIMESTAMP_STEP * i

function keyOf(i) {
  if (i % 10 === 9) return null
  return i % 10 === 8 ? Buffer.alloc(0) : Buffer.from(`key-${i}`)
}

function valueOf(i) {
  if (i % 10 === 0) return null
  if (i % 10 === 1) return Buffer.alloc(0)
  const length = i % 1000 === 2 ? LARGE_VALUE : (i * 7919) % 300
  return Buffer.concat([Buffer.from(`value-${i}:`), PATTERN.subarray(i % 256, (i % 256) + length)])
}

function headersOf(i) {
  const index = Buffer.from(`${i}`)
  switch (i % 4) {
    case 1: return { index }
    case 2: return { index, empty: Buffer.alloc(0) }
    case 3: return { index: [index, Buffer.from('again')], null: Buffer.alloc(0) }
    default: return {}
  }
}

/** How many of the records 0 .. records-1 the partition holds. */
const countInPartition = (records, partition) => Math.ceil((records - partition) / PARTITIONS)

const startOffsets = () => new Array(PARTITIONS).fill(0)
const middleOffsets = records => startOffsets().map((_, p) => Math.floor(countInPartition(records, p) / 2))

function same(actual, wanted) {
  try {
    assert.deepStrictEqual(actual, wanted)
    return true
  } catch {
    return false
  }
}

const show = value => (Buffer.isBuffer(value) ? JSON.stringify(value.toString('latin1').slice(0, 40)) : JSON.stringify(value))

/** Checks what a reader sees of one topic, from the given offset of each partition. */
class Checker {
  constructor(topic, records, start) {
    this.topic = topic
    this.records = records
    this.next = [...start]
    this.missing = new Set()
    for (let i = 0; i < records; i++) if (Math.floor(i / PARTITIONS) >= start[partitionOf(i)]) this.missing.add(i)
    this.repeated = []
  }

  /** Checks the next record that the reader got. The timestamp says which record it is. */
  see({ partition, offset, key, value, headers, timestamp }) {
    const place = `${this.topic}-${partition} offset ${offset}`
    const i = (timestamp - FIRST_TIMESTAMP) / TIMESTAMP_STEP
    require_(Number.isInteger(i) && i >= 0 && i < this.records, `${place}: timestamp ${timestamp} belongs to no record`)
    const actual = { partition, key, value, headers }
    const wanted = { partition: partitionOf(i), key: keyOf(i), value: valueOf(i), headers: headersOf(i) }
    for (const field of Object.keys(wanted)) {
      require_(same(actual[field], wanted[field]),
        `${place}, record ${i}: ${field} is ${show(actual[field])}, expected ${show(wanted[field])}`)
    }
    if (!this.missing.delete(i)) this.repeated.push(i)
    if (this.repeated.length === 0) {
      require_(offset === this.next[partition],
        `${place}, record ${i}: expected offset ${this.next[partition]}; ${this.missing.size} records not seen so far`)
      require_(offset === Math.floor(i / PARTITIONS), `${place}: holds record ${i}, which belongs at offset ${Math.floor(i / PARTITIONS)}`)
    }
    this.next[partition] = offset + 1
  }

  done() {
    return this.missing.size === 0
  }

  /** Fails when records were lost or repeated. */
  finish() {
    const problems = []
    if (this.missing.size > 0) problems.push(`${this.missing.size} of ${this.records} records lost, first ${[...this.missing][0]}`)
    if (this.repeated.length > 0) problems.push(`${this.repeated.length} records repeated, first ${this.repeated.sort((a, b) => a - b)[0]}`)
    require_(problems.length === 0, `${this.topic}: ${problems.join('; ')}`)
  }
}

/** Calls `done` until it is true; fails after the time is over. */
async function waitUntil(what, seconds, done) {
  const end = Date.now() + seconds * 1000
  while (!(await done())) require_(Date.now() < end, `gave up waiting for ${what}`)
}

module.exports = {
  PARTITIONS, CheckFailed, Checker, require: require_, partitionOf, timestampOf, keyOf, valueOf, headersOf, countInPartition,
  startOffsets, middleOffsets, waitUntil,
}
