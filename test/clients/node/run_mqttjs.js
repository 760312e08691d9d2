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

// A fresh token by the client credentials grant if there is an endpoint for it; else it is the password.
async function token(a) {
  if (!a.endpoint) return a.password
  const response = await fetch(a.endpoint, {
    method: 'POST',
    headers: { authorization: 'Basic ' + Buffer.from([a.user, a.password].map(encodeURIComponent).join(':')).toString('base64') },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: a.scope }),
  })
  return (await response.json()).access_token
}
const bearer = token => Buffer.from(`n,,\x01auth=Bearer ${token}\x01\x01`)

// scramOf is the conversation of a job that has one.
const scramOf = a => a.auth && a.auth.startsWith('SCRAM-') ? new Scram(a.auth, a.user, a.password) : undefined

function options(a, scram, password) {
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
    const said = { PLAIN: Buffer.from(`\0${a.user}\0${password}`), OAUTHBEARER: bearer(password) }[a.auth]
    o.properties = { authenticationMethod: a.auth, authenticationData: scram ? scram.first() : said }
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

// Counts what comes until the server ends the connection, and proves itself anew meanwhile if it is told to.
async function listen(client, a, proven) {
  let came = 0, last = '', code = 0
  client.on('message', (topic, payload) => { came++; last = payload.toString() })
  client.on('disconnect', packet => { code = packet.reasonCode })
  const ended = new Promise(resolve => client.on('close', () => {
    resolve({ outcome: 'disconnected', error: new Error(`ended with 0x${code.toString(16).padStart(2, '0')} after ${last}`), records: came })
  }))
  await client.subscribeAsync(a.topic, { qos: 0 })
  if (a.ready) fs.writeFileSync(a.ready, '')
  // MQTT 5 section 4.12.1. The library has no name for it.
  const renew = async () => {
    const properties = { authenticationMethod: a.auth, authenticationData: bearer(await token(a)) }
    await new Promise(resolve => { proven.again = resolve; client._sendPacket({ cmd: 'auth', reasonCode: 0x19, properties }) })
  }
  const timer = a.renew && setInterval(renew, 1000 * a.renew)
  const enough = a.stay ? [new Promise(resolve => setTimeout(() => resolve({ outcome: 'accepted', records: came }), 1000 * a.stay))] : []
  try {
    return await Promise.race([ended, ...enough])
  } finally {
    clearInterval(timer)
  }
}

async function perform(job, a) {
  const scram = scramOf(a)
  const client = mqtt.connect(a.url, { ...options(a, scram, await token(a)), manualConnect: true })
  const proven = { again: () => {} } // called when the server has taken another token
  client.handleAuth = (packet, done) => packet.reasonCode === 0 ? (done(), proven.again()) : done(undefined, {
    cmd: 'auth', reasonCode: 0x18,
    properties: { authenticationMethod: a.auth, authenticationData: scram.last(packet.properties.authenticationData.toString()) },
  })
  return new Promise(resolve => {
    client.on('error', error => resolve({ outcome: outcome(error), error }))
    client.on('close', () => setTimeout(resolve, 200, { outcome: 'disconnected', error: new Error('closed') }))
    client.on('connect', async connack => {
      try {
        if (scram && String(connack.properties?.authenticationData) !== scram.server) throw new Error('the server proved nothing')
        if (job === 'listen') resolve(await listen(client, a, proven))
        else resolve({ outcome: 'accepted', records: job === 'login' ? 0 : await exchange(client, a) })
      } catch (error) {
        resolve({ outcome: 'failed', error })
      }
    })
    client.connect()
  }).finally(() => client.end(true))
}

serve('mqtt.js ' + require('mqtt/package.json').version, 30, perform)
