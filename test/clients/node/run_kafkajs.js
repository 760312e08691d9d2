// kafkajs. See ../README.md for the jobs, the arguments and the answer.
const fs = require('fs')
const { Kafka, CompressionTypes, logLevel } = require('kafkajs')

const job = process.argv[2]
const a = Object.fromEntries(process.argv.slice(3).map(s => [s.slice(0, s.indexOf('=')), s.slice(s.indexOf('=') + 1)]))
const count = Number(a.count || 10)
const timeout = 1000 * Number(a.timeout || 60)

function answer(outcome, error, records = 0) {
  const line = { client: 'kafkajs ' + require('kafkajs/package.json').version, job, outcome, records,
    error: error ? error.name : '', message: error ? String(error.message).slice(0, 300) : '' }
  process.stdout.write(JSON.stringify(line) + '\n', () => process.exit(0))
}

const ssl = a.ca && { ca: [fs.readFileSync(a.ca)] }
if (a.cert) Object.assign(ssl, { cert: fs.readFileSync(a.cert), key: fs.readFileSync(a.key) })
const kafka = new Kafka({
  brokers: a.bootstrap.split(','),
  logLevel: logLevel.NOTHING,
  retry: { retries: job === 'login' ? 0 : 12 }, // a fresh cluster's first group waits for its coordinator
  ...(ssl && { ssl }),
  ...(a.mechanism && { sasl: { mechanism: a.mechanism.toLowerCase(), username: a.user, password: a.password } }),
})
const values = Array.from({ length: count }, (_, i) => `${a.group}-${i}`)
const messages = prefix => values.map(v => ({ key: v, value: prefix + v, headers: { by: 'kafkajs' } }))

async function login() {
  const admin = kafka.admin()
  await admin.connect()
  await admin.listTopics()
  await admin.disconnect()
  return 0
}

async function consume() {
  const consumer = kafka.consumer({ groupId: a.group, readUncommitted: false })
  await consumer.connect()
  await consumer.subscribe({ topics: [a.topic], fromBeginning: true })
  const got = []
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error))
    consumer.run({ eachMessage: async ({ message }) => { if (got.push(message.value.toString()) === count) resolve() } })
  })
  await consumer.disconnect() // commits
  if (got.sort().join() !== [...values].sort().join()) throw new Error(`consumed other records: ${got.slice(0, 3)}`)
  return got.length
}

async function produceConsume() {
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  await producer.send({ topic: a.topic, messages: messages(''), compression: CompressionTypes.GZIP })
  await producer.disconnect()
  return consume()
}

async function transaction() {
  const producer = kafka.producer({ transactionalId: a.group, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const kept = await producer.transaction()
  await kept.send({ topic: a.topic, messages: messages('') })
  await kept.sendOffsets({ consumerGroupId: a.group + '-offsets',
    topics: [{ topic: a.topic, partitions: [{ partition: 0, offset: '1' }] }] })
  await kept.commit()
  const dropped = await producer.transaction()
  await dropped.send({ topic: a.topic, messages: messages('aborted-') })
  await dropped.abort()
  await producer.disconnect()
  return consume()
}

// The reason is at the end of a chain of errors. TLS alerts reach kafkajs as connection errors whose text says so.
function refusal(error) {
  for (let e = error; e; e = e.cause || e.originalError) {
    if (e.name === 'KafkaJSSASLAuthenticationError') return e
    if (/\balert\b|certificate|SASL .* mechanism|sasl/i.test(e.message)) return e
  }
}

setTimeout(() => answer('failed', new Error(`nothing after ${timeout} ms`)), timeout)
const jobs = { login, 'produce-consume': produceConsume, transaction }
jobs[job]().then(records => answer('accepted', null, records),
  error => refusal(error) ? answer('refused', refusal(error)) : answer('failed', error))
