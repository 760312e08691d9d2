// MQTT.js: MQTT 3.1, 3.1.1 and 5, over TCP, TLS and WebSocket, and enhanced authentication. See ../mqtt/README.md.
const crypto = require('crypto')
const fs = require('fs')
const mqtt = require('mqtt')

const job = process.argv[2]
const a = Object.fromEntries(process.argv.slice(3).map(s => [s.slice(0, s.indexOf('=')), s.slice(s.indexOf('=') + 1)]))
const count = Number(a.count || 10)
const timeout = 1000 * Number(a.timeout || 30)

function answer(outcome, error, records = 0) {
  const line = { client: 'mqtt.js ' + require('mqtt/package.json').version, job, outcome, records,
    error: error ? error.name : '', message: error ? String(error.message).slice(0, 300) : '' }
  process.stdout.write(JSON.stringify(line) + '\n', () => process.exit(0))
}

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
async function token() {
  if (!a.endpoint) return a.password
  const response = await fetch(a.endpoint, {
    method: 'POST',
    headers: { authorization: 'Basic ' + Buffer.from([a.user, a.password].map(encodeURIComponent).join(':')).toString('base64') },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: a.scope }),
  })
  return (await response.json()).access_token
}
const bearer = token => Buffer.from(`n,,\x01auth=Bearer ${token}\x01\x01`)

const version = Number(a.version)
const options = {
  protocolVersion: version, protocolId: version === 3 ? 'MQIsdp' : 'MQTT', clientId: a.id, clean: true, reconnectPeriod: 0,
  connectTimeout: timeout, username: a.user || undefined, password: a.password || undefined,
  wsOptions: { headers: {} },
}
if (a.basic) options.wsOptions.headers.authorization = 'Basic ' + Buffer.from(a.basic).toString('base64')
if (a.bearer) options.wsOptions.headers.authorization = 'Bearer ' + a.bearer
if (a.ca) Object.assign(options, { ca: fs.readFileSync(a.ca), rejectUnauthorized: true })
if (a.cert) Object.assign(options, { cert: fs.readFileSync(a.cert), key: fs.readFileSync(a.key) })
let scram
if (a.auth) {
  options.username = options.password = undefined
  const said = { PLAIN: `\0${a.user}\0${a.password}`, OAUTHBEARER: bearer(a.password) }[a.auth]
  scram = said ? undefined : new Scram(a.auth, a.user, a.password)
  options.properties = { authenticationMethod: a.auth, authenticationData: said ? Buffer.from(said) : scram.first() }
}

const client = mqtt.connect(a.url, { ...options, manualConnect: true })
let renewed // called when the server has taken another token
client.handleAuth = (packet, done) => packet.reasonCode === 0 ? (done(), renewed()) : done(undefined, {
  cmd: 'auth', reasonCode: 0x18,
  properties: { authenticationMethod: a.auth, authenticationData: scram.last(packet.properties.authenticationData.toString()) },
})

// What a broker or TLS says of who the client is. What ends without a word is a disconnection.
const refusals = [4, 5, 2, 0x85, 0x86, 0x87, 0x8c]
client.on('error', error => {
  if (refusals.includes(error.code) || /\balert\b|certificate|Unexpected server response: 401/i.test(error.message)) return answer('refused', error)
  answer(/ECONNRESET|EPIPE|hang up|disconnected/i.test(error.code + error.message) ? 'disconnected' : 'failed', error)
})
let listening = false, came = 0, last = '', code = 0
client.on('disconnect', packet => { code = packet.reasonCode })
client.on('close', () => listening ? answer('disconnected', new Error(`ended with 0x${code.toString(16).padStart(2, '0')} after ${last}`), came) : setTimeout(answer, 200, 'disconnected', new Error('closed')))
setTimeout(() => answer('failed', new Error(`nothing after ${timeout} ms`)), timeout)

client.on('connect', async connack => {
  if (scram && String(connack.properties?.authenticationData) !== scram.server) return answer('failed', new Error('the server proved nothing'))
  if (job === 'login') return answer('accepted')
  if (job === 'listen') return listen()
  const want = [0, 1, 2].flatMap(qos => Array.from({ length: count }, (_, i) => `${qos}-${i}`))
  const got = []
  client.on('message', (topic, payload) => {
    if (got.push(payload.toString()) < want.length) return
    if (got.sort().join() !== want.sort().join()) return answer('failed', new Error(`other messages came: ${got.slice(0, 3)}`))
    answer('accepted', null, got.length)
  })
  try {
    await client.subscribeAsync(a.topic, { qos: 2 })
    for (const value of want) {
      await client.publishAsync(a.topic, value, { qos: Number(value[0]), properties: version === 5 ? { userProperties: { by: 'mqtt.js' } } : undefined })
    }
  } catch (error) {
    answer('failed', error)
  }
})

// Counts what comes until the server ends the connection, and proves itself anew meanwhile if it is told to.
async function listen() {
  client.on('message', (topic, payload) => { came++; last = payload.toString() })
  await client.subscribeAsync(a.topic, { qos: 0 })
  listening = true
  if (a.ready) fs.writeFileSync(a.ready, '')
  if (a.stay) setTimeout(() => answer('accepted', null, came), 1000 * a.stay)
  if (a.renew) setInterval(renew, 1000 * a.renew)
}

// MQTT 5 section 4.12.1. The library has no name for it.
async function renew() {
  const properties = { authenticationMethod: a.auth, authenticationData: bearer(await token()) }
  await new Promise(resolve => { renewed = resolve; client._sendPacket({ cmd: 'auth', reasonCode: 0x19, properties }) })
}

token().then(first => {
  if (a.endpoint) options.properties.authenticationData = bearer(first)
  client.connect()
}, error => answer('failed', error))
