// kafkajs. See ../README.md for the jobs, the arguments and the answer.
const fs = require('fs')
const { Kafka, CompressionTypes, logLevel } = require('kafkajs')
const { serve } = require('./driver.js')

function configure(job, a) {
  const ssl = a.ca && { ca: [fs.readFileSync(a.ca)] }
  if (a.cert) Object.assign(ssl, { cert: fs.readFileSync(a.cert), key: fs.readFileSync(a.key) })
  return new Kafka({
    brokers: a.bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: job === 'login' ? 0 : 12 }, // a fresh cluster's first group waits for its coordinator
    ...(ssl && { ssl }),
    ...(a.mechanism && { sasl: { mechanism: a.mechanism.toLowerCase(), username: a.user, password: a.password } }),
  })
}

const values = a => Array.from({ length: a.count }, (_, i) => `${a.group}-${i}`)
const messages = (a, prefix) => values(a).map(v => ({ key: v, value: prefix + v, headers: { by: 'kafkajs' } }))

async function login(kafka) {
  const admin = kafka.admin()
  await admin.connect()
  await admin.listTopics()
  await admin.disconnect()
  return 0
}

async function consume(kafka, a) {
  const consumer = kafka.consumer({ groupId: a.group, readUncommitted: false, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topics: [a.topic], fromBeginning: true })
  const got = []
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error))
    consumer.run({ eachMessage: async ({ message }) => { if (got.push(message.value.toString()) === a.count) resolve() } })
  })
  await consumer.disconnect() // commits
  if (got.sort().join() !== values(a).sort().join()) throw new Error(`consumed other records: ${got.slice(0, 3)}`)
  return got.length
}

async function produceConsume(kafka, a) {
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  await producer.send({ topic: a.topic, messages: messages(a, ''), compression: CompressionTypes.GZIP })
  await producer.disconnect()
  return consume(kafka, a)
}

async function transaction(kafka, a) {
  const producer = kafka.producer({ transactionalId: a.group, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const kept = await producer.transaction()
  await kept.send({ topic: a.topic, messages: messages(a, '') })
  await kept.sendOffsets({ consumerGroupId: a.group + '-offsets',
    topics: [{ topic: a.topic, partitions: [{ partition: 0, offset: '1' }] }] })
  await kept.commit()
  const dropped = await producer.transaction()
  await dropped.send({ topic: a.topic, messages: messages(a, 'aborted-') })
  await dropped.abort()
  await producer.disconnect()
  return consume(kafka, a)
}

// The reason is at the end of a chain of errors. TLS alerts reach kafkajs as connection errors whose text says so.
function refusal(error) {
  for (let e = error; e; e = e.cause || e.originalError) {
    if (e.name === 'KafkaJSSASLAuthenticationError') return e
    if (/\balert\b|certificate|SASL .* mechanism|sasl/i.test(e.message)) return e
  }
}

const jobs = { login, 'produce-consume': produceConsume, transaction }
serve('kafkajs ' + require('kafkajs/package.json').version, 60, async (job, a) => {
  try {
    return { outcome: 'accepted', records: await jobs[job](configure(job, a), a) }
  } catch (error) {
    return refusal(error) ? { outcome: 'refused', error: refusal(error) } : { outcome: 'failed', error }
  }
})
