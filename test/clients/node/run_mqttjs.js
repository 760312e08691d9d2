// MQTT.js: MQTT 3.1, 3.1.1 and 5, over TCP, TLS and WebSocket, and enhanced authentication. See ../mqtt/README.md.
const crypto = require('crypto')
const fs = require('fs')
const mqtt = require('mqtt')

const { serve } = require('./driver.js')

// The client's side of SCRAM (RFC 5802), without channel binding.
class Scram {
  constructor(method, user, password) {
    this.hash = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' }[method]
    this.password = password
    this.bare = `n=${user.replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${crypto.randomBytes(18).toString('base64')}`
  }
  first() { return Buffer.from('n,,' + this.bare) }
  last(challenge) {
    const { r, s, i } = Object.fromEntries(challenge.split(',').map(part => [part[0], part.slice(2)]))
    const length = crypto.createHash(this.hash).digest().length
    const salted = crypto.pbkdf2Sync(this.password, Buffer.from(s, 'base64'), Number(i), length, this.hash)
    const hmac = (key, text) => crypto.createHmac(this.hash, key).update(text).digest()
    const unproved = `c=biws,r=${r}`
    const message = [this.bare, challenge, unproved].join(',')
    const key = hmac(salted, 'Client Key')
    const signature = hmac(crypto.createHash(this.hash).update(key).digest(), message)
    this.server = 'v=' + hmac(hmac(salted, 'Server Key'), message).toString('base64')
    return Buffer.from(`${unproved},p=${Buffer.from(key.map((b, n) => b ^ signature[n])).toString('base64')}`)
  }
}

// scramOf is the conversation of a job that has one.
const scramOf = a => a.auth && a.auth.startsWith('SCRAM-') ? new Scram(a.auth, a.user, a.password) : undefined

function options(a, scram) {
  const version = Number(a.version)
  const o = {
    protocolVersion: version, protocolId: version === 3 ? 'MQIsdp' : 'MQTT', clientId: a.id, clean: true, reconnectPeriod: 0,
    connectTimeout: a.timeout, username: a.user || undefined, password: a.password || undefined,
    wsOptions: { headers: {} },
  }
  if (a.basic) o.wsOptions.headers.authorization = 'Basic ' + Buffer.from(a.basic).toString('base64')
  if (a.bearer) o.wsOptions.headers.authorization = 'Bearer ' + a.bearer
  if (a.ca) Object.assign(o, { ca: fs.readFileSync(a.ca), rejectUnauthorized: true })
  if (a.cert) Object.assign(o, { cert: fs.readFileSync(a.cert), key: fs.readFileSync(a.key) })
  if (a.auth) {
    o.username = o.password = undefined
    const said = { PLAIN: `\0${a.user}\0${a.password}`, OAUTHBEARER: `n,,\x01auth=Bearer ${a.password}\x01\x01` }[a.auth]
    o.properties = { authenticationMethod: a.auth, authenticationData: scram ? scram.first() : Buffer.from(said) }
  }
  return o
}

// What a broker or TLS says of who the client is. What ends without a word is a disconnection.
const refusals = [4, 5, 2, 0x85, 0x86, 0x87, 0x8c]

function outcome(error) {
  if (refusals.includes(error.code) || /\balert\b|certificate|Unexpected server response: 401/i.test(error.message)) return 'refused'
  return /ECONNRESET|EPIPE|hang up|disconnected/i.test(error.code + error.message) ? 'disconnected' : 'failed'
}

async function exchange(client, a) {
  const want = [0, 1, 2].flatMap(qos => Array.from({ length: a.count }, (_, i) => `${qos}-${i}`))
  const got = []
  const all = new Promise(resolve => client.on('message', (topic, payload) => {
    if (got.push(payload.toString()) === want.length) resolve()
  }))
  await client.subscribeAsync(a.topic, { qos: 2 })
  const properties = a.version === '5' ? { userProperties: { by: 'mqtt.js' } } : undefined
  for (const value of want) await client.publishAsync(a.topic, value, { qos: Number(value[0]), properties })
  await all
  if (got.sort().join() !== want.sort().join()) throw new Error(`other messages came: ${got.slice(0, 3)}`)
  return got.length
}

function perform(job, a) {
  const scram = scramOf(a)
  const client = mqtt.connect(a.url, { ...options(a, scram), manualConnect: true })
  client.handleAuth = (packet, done) => done(undefined, {
    cmd: 'auth', reasonCode: 0x18,
    properties: { authenticationMethod: a.auth, authenticationData: scram.last(packet.properties.authenticationData.toString()) },
  })
  return new Promise(resolve => {
    client.on('error', error => resolve({ outcome: outcome(error), error }))
    client.on('close', () => setTimeout(resolve, 200, { outcome: 'disconnected', error: new Error('closed') }))
    client.on('connect', async connack => {
      try {
        if (scram && String(connack.properties?.authenticationData) !== scram.server) throw new Error('the server proved nothing')
        resolve({ outcome: 'accepted', records: job === 'login' ? 0 : await exchange(client, a) })
      } catch (error) {
        resolve({ outcome: 'failed', error })
      }
    })
    client.connect()
  }).finally(() => client.end(true))
}

serve('mqtt.js ' + require('mqtt/package.json').version, 30, perform)
