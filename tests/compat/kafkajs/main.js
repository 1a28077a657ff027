'use strict'
// Compatibility test: kafkajs. usage: main.js BOOTSTRAP RECORDS TOPIC_PREFIX, in the folder that holds node_modules.
//
// Its consumer reads only as a member of a group: so it does once (checkGroup). Elsewhere records are read through its internal cluster and
// broker, with its own decoder, from any offset.

const path = require('node:path')
const installed = require('node:module').createRequire(path.join(process.cwd(), 'package.json'))
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = installed('kafkajs')
const lz4 = installed('lz4-napi')
const zstd = installed('@bokuweb/zstd-wasm')
const expected = require('./expected')
const { PARTITIONS } = expected

CompressionCodecs[CompressionTypes.Snappy] = installed('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: encoder => lz4.compressFrame(encoder.buffer),
  decompress: buffer => lz4.decompressFrame(buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => Buffer.from(zstd.compress(encoder.buffer)),
  decompress: async buffer => Buffer.from(zstd.decompress(buffer)),
})

const CODECS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}
const SEND_SIZE = 1000 // records of one call
const TIMEOUT = 30

/** The types of the Kafka errors that the call fails with; none when it succeeds. */
async function errorsOf(call) {
  try {
    await call()
    return []
  } catch (thrown) {
    const error = thrown.cause || thrown // what the retries gave up on
    const parts = error.errors || (error.partitions && error.partitions.map(partition => partition.error)) || [error]
    return parts.map(part => part.type || part.message)
  }
}

/** One run against one broker. */
class Test {
  constructor(bootstrap) {
    this.kafka = new Kafka({ clientId: 'brook-compat', brokers: [bootstrap], logLevel: logLevel.NOTHING })
    this.admin = this.kafka.admin({ retry: { retries: 3, initialRetryTime: 20 } })
    const createCluster = Object.getOwnPropertySymbols(this.kafka).find(symbol => symbol.description === 'private:Kafka:createCluster')
    this.cluster = this.kafka[createCluster]({ allowAutoTopicCreation: false })
  }

  async connect() {
    await zstd.init()
    await this.admin.connect()
    await this.cluster.connect()
  }

  async disconnect() {
    await this.admin.disconnect()
    await this.cluster.disconnect()
  }

  async create(topic, numPartitions = PARTITIONS, settings = {}) {
    const configEntries = Object.entries({ 'retention.ms': '-1', ...settings }).map(([name, value]) => ({ name, value }))
    return this.admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })
  }

  async produce(topic, records, { idempotent = false, acks, compression }) {
    const producer = this.kafka.producer({
      idempotent, allowAutoTopicCreation: false, createPartitioner: () => ({ message }) => message.partition,
    })
    await producer.connect()
    for (let first = 0; first < records; first += SEND_SIZE) {
      const messages = []
      for (let i = first; i < Math.min(first + SEND_SIZE, records); i++) {
        messages.push({
          partition: expected.partitionOf(i), key: expected.keyOf(i), value: expected.valueOf(i), headers: expected.headersOf(i),
          timestamp: String(expected.timestampOf(i)),
        })
      }
      const answers = await producer.send({ topic, acks, compression, messages })
      if (acks === 0) continue
      for (const { partition, baseOffset } of answers) {
        const wanted = expected.countInPartition(first, partition)
        expected.require(Number(baseOffset) === wanted, `${topic}-${partition}: acknowledged at offset ${baseOffset}, expected ${wanted}`)
      }
    }
    await producer.disconnect()
  }

  /** One fetch from each partition's offset; the answers by partition. */
  async fetch(topic, offsets, maxWaitTime = 500) {
    await this.cluster.addTargetTopic(topic)
    await this.cluster.refreshMetadataIfNecessary()
    const leaders = this.cluster.findLeaderForPartitions(topic, offsets.map((_, p) => p))
    const answers = []
    for (const [nodeId, led] of Object.entries(leaders)) {
      const broker = await this.cluster.findBroker({ nodeId })
      const partitions = led.map(partition => ({ partition, fetchOffset: String(offsets[partition]), maxBytes: 1 << 20 }))
      const { responses } = await broker.fetch({ maxWaitTime, isolationLevel: 1, topics: [{ topic, partitions }] })
      for (const response of responses) answers.push(...response.partitions)
    }
    return answers
  }

  async consume(topic, records, start) {
    const checker = new expected.Checker(topic, records, start)
    await expected.waitUntil(`the records of ${topic}: ${checker.missing.size}`, 60, async () => {
      for (const { partition, messages } of await this.fetch(topic, checker.next)) {
        const from = checker.next[partition]
        for (const message of messages) {
          const offset = Number(message.offset)
          if (offset < from) continue // a fetch from the middle of a batch answers with the whole batch
          checker.see({ ...message, partition, offset, timestamp: Number(message.timestamp) })
        }
      }
      return checker.done()
    })
    for (const { partition, messages, highWatermark } of await this.fetch(topic, checker.next, 50)) {
      expected.require(messages.length === 0 && Number(highWatermark) === checker.next[partition],
        `${topic}-${partition}: ${messages.length} records after the last one, high watermark ${highWatermark}`)
    }
    checker.finish()
  }

  /** Runs a member until `stop` holds, or a deadline; it commits what it has seen. */
  async runMember(topic, groupId, see, stop) {
    const member = this.kafka.consumer({ groupId, sessionTimeout: 10000, heartbeatInterval: 500, allowAutoTopicCreation: false })
    await member.connect()
    await member.subscribe({ topics: [topic], fromBeginning: true })
    let failure = null
    await member.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        if (failure || batch.messages.length === 0) return
        try {
          for (const message of batch.messages) {
            see({ ...message, partition: batch.partition, offset: Number(message.offset), timestamp: Number(message.timestamp) })
          }
        } catch (error) {
          failure = error
          return
        }
        await member.commitOffsets([{ topic, partition: batch.partition, offset: String(Number(batch.lastOffset()) + 1) }])
      },
    })
    await expected.waitUntil(`a member of ${groupId} to read ${topic}`, 60, async () => {
      await new Promise(resolve => setTimeout(resolve, 20)) // the member needs the loop
      return failure || stop()
    })
    await member.disconnect()
    if (failure) throw failure
  }

  async checkGroup(topic, records, groupId) {
    const checker = new expected.Checker(topic, records, expected.startOffsets())
    for (const goal of [records / 2, records]) {
      await this.runMember(topic, groupId, message => checker.see(message), () => records - checker.missing.size >= goal)
    }
    checker.finish()
    const [{ partitions }] = await this.admin.fetchOffsets({ groupId, topics: [topic] })
    for (const { partition, offset } of partitions) {
      expected.require(Number(offset) === expected.countInPartition(records, partition), `${topic}-${partition}: ${groupId} has committed ${offset}`)
    }
    const { groups: [group] } = await this.admin.describeGroups([groupId])
    expected.require(group.state === 'Empty', `${groupId} is ${group.state} without members`)
    await this.admin.deleteGroups([groupId])
  }

  async checkOffsets(topic, records) {
    const target = Math.floor(records / 2)
    const ends = await this.admin.fetchTopicOffsets(topic)
    const atTarget = await this.admin.fetchTopicOffsetsByTimestamp(topic, expected.timestampOf(target))
    const after = await this.admin.fetchTopicOffsetsByTimestamp(topic, expected.timestampOf(records))
    for (let p = 0; p < PARTITIONS; p++) {
      const of = list => list.find(({ partition }) => partition === p)
      const { low, high } = of(ends)
      const count = expected.countInPartition(records, p)
      const actual = [low, high, of(atTarget).offset, of(after).offset].map(Number)
      const wanted = [0, count, expected.countInPartition(target, p), count] // kafkajs puts the end in place of none
      expected.require(String(actual) === String(wanted),
        `${topic}-${p}: earliest, latest, by timestamp and after the last offset are ${actual}, expected ${wanted}`)
    }
  }

  async partitions(topic) {
    const { topics } = await this.admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0].partitions
  }

  async settings(topic) {
    const { resources } = await this.admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] })
    expected.require(resources[0].errorCode === 0, `settings of ${topic}: error ${resources[0].errorCode}`)
    return Object.fromEntries(resources[0].configEntries.map(entry => [entry.configName, entry]))
  }

  async checkSettings(topic, wanted) {
    await expected.waitUntil(`settings of ${topic} to be ${JSON.stringify(wanted)}`, TIMEOUT, async () => {
      const found = await this.settings(topic)
      return Object.entries(wanted).every(([name, value]) => found[name] && found[name].configValue === value)
    })
  }

  alter(topic, name, value) {
    return this.admin.alterConfigs({
      validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }],
    })
  }

  async checkErrors(what, wanted, call) {
    const types = await errorsOf(call)
    expected.require(String(types) === wanted, `${what}: ${types.join(', ') || 'no error'}, expected ${wanted}`)
  }

  async checkAdmin(topic) {
    expected.require(await this.create(topic, 2, { 'segment.bytes': '1048576' }), `creating ${topic}`)
    expected.require((await this.create(topic, 2)) === false, `creating ${topic} again went well`) // kafkajs makes false of the error
    await this.checkErrors('creating a topic with a bad name', 'INVALID_TOPIC_EXCEPTION', () => this.create('not a topic name'))

    const cluster = await this.admin.describeCluster()
    const known = new Set(cluster.brokers.map(({ nodeId }) => nodeId))
    expected.require(cluster.clusterId && known.has(cluster.controller), `describe cluster: ${JSON.stringify(cluster)}`)
    const partitions = await this.partitions(topic)
    expected.require(partitions.length === 2, `${topic}: ${JSON.stringify(partitions)}`)
    for (const { partitionId, leader, replicas, isr } of partitions) {
      expected.require(known.has(leader) && String(replicas) === String(leader) && String(isr) === String(leader),
        `${topic}-${partitionId}: leader ${leader}, replicas ${replicas}, isr ${isr}`)
    }
    expected.require((await this.admin.listTopics()).includes(topic), `${topic}: not in the list of all topics`)

    await this.admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
    await expected.waitUntil(`5 partitions of ${topic}`, TIMEOUT, async () => (await this.partitions(topic)).length === 5)
    await this.checkErrors(`fewer partitions of ${topic}`, 'INVALID_PARTITIONS',
      () => this.admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }))

    await this.checkSettings(topic, {
      'segment.bytes': '1048576', 'retention.ms': '-1', 'max.message.bytes': '1048588', 'cleanup.policy': 'delete',
    })
    // the older, not incremental request: what is not named goes back to its default
    await this.alter(topic, 'max.message.bytes', '2000000')
    await this.checkSettings(topic, { 'max.message.bytes': '2000000', 'segment.bytes': '1073741824', 'retention.ms': '604800000' })
    await this.checkErrors(`a bad setting of ${topic}`, 'INVALID_CONFIG', () => this.alter(topic, 'max.message.bytes', 'many'))

    await this.delete(topic)
    await expected.waitUntil(`${topic} to be gone`, TIMEOUT, async () => !(await this.admin.listTopics()).includes(topic))
    await this.checkErrors(`metadata of ${topic}`, 'UNKNOWN_TOPIC_OR_PARTITION', () => this.partitions(topic))
    await this.checkErrors(`deleting ${topic} again`, 'UNKNOWN_TOPIC_OR_PARTITION', () => this.delete(topic))
  }

  delete(topic) {
    return this.admin.deleteTopics({ topics: [topic] })
  }

  async checkTooLarge(topic) {
    const producer = this.kafka.producer({ allowAutoTopicCreation: false, createPartitioner: () => () => 0, retry: { retries: 0 } })
    await producer.connect()
    await this.checkErrors(`${topic}: a record of 2 MB`, 'MESSAGE_TOO_LARGE',
      () => producer.send({ topic, messages: [{ value: Buffer.alloc(2_000_000) }] }))
    await producer.disconnect()
  }

  async checkDeleteRecords(topic) {
    const deleteBelow = offset => this.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] })
    await deleteBelow(10)
    const { low } = (await this.admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0)
    expected.require(low === '10', `${topic}-0: earliest offset ${low} after deleting below 10`)
    await this.checkErrors(`${topic}-0: deleting records past the end`, 'OFFSET_OUT_OF_RANGE', () => deleteBelow(2 ** 40))
    await this.checkErrors(`${topic}-0: reading below the earliest offset`, 'OFFSET_OUT_OF_RANGE', () => this.fetch(topic, [9]))
    const [answer] = await this.fetch(topic, [10])
    expected.require(answer.messages.some(({ offset }) => offset === '10'), `${topic}-0: no record at the earliest offset`)
  }
}

async function main(bootstrap, records, prefix) {
  const test = new Test(bootstrap)
  await test.connect()
  const passes = []
  for (const acks of [1, 0]) await test.create(`${prefix}-acks${acks}`) // early: see ../shared/README.md
  for (const [codec, compression] of Object.entries(CODECS)) {
    const topic = `${prefix}-${codec}`
    await test.create(topic)
    await test.produce(topic, records, { idempotent: true, acks: -1, compression })
    await test.consume(topic, records, expected.startOffsets())
    await test.consume(topic, records, expected.middleOffsets(records))
    await test.checkOffsets(topic, records)
    passes.push(`${codec} ${records}`)
  }
  for (const acks of [1, 0]) {
    const topic = `${prefix}-acks${acks}`
    await test.produce(topic, 1000, { acks, compression: CompressionTypes.GZIP })
    await test.consume(topic, 1000, expected.startOffsets())
    passes.push(`acks=${acks} 1000`)
  }
  await test.checkGroup(`${prefix}-none`, records, `${prefix}-group`)
  passes.push(`group ${records}`)
  await test.checkTooLarge(`${prefix}-acks1`)
  await test.checkDeleteRecords(`${prefix}-none`)
  await test.checkAdmin(`${prefix}-admin`)
  for (const name of [...Object.keys(CODECS), 'acks1', 'acks0']) await test.delete(`${prefix}-${name}`)
  await test.disconnect()
  console.log(`ok kafkajs: ${passes.join(', ')}`)
}

const [bootstrap, records, prefix] = process.argv.slice(2)
main(bootstrap, Number(records), prefix).catch(error => {
  console.error(error instanceof expected.CheckFailed ? `FAILED ${error.message}` : error)
  process.exit(1)
})
