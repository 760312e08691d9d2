// A light real issuer of tokens: oidc-provider on a free port of loopback, with the client credentials grant.
//
//   node provider.mjs MODULE CLIENTS
//
// MODULE is the file to import oidc-provider from. CLIENTS is JSON: for each client by its id, whose secret is the id and
// "-secret", the scopes it may ask for, the audience of its tokens, their lifetime in seconds, and whether they are opaque.
//
// It says {"issuer": URL} when it listens. Then it takes orders, one a line, and answers each with "done":
//   rotate    another key signs from now on, and the one before is withdrawn
//   down, up  every connection is cut; connections are served again
// It ends with its standard input.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const { default: Provider } = await import(pathToFileURL(process.argv[2]))
const clients = JSON.parse(process.argv[3])
console.info = console.error // the library's notices are no answers

let issuer, serve
let down = false
const server = createServer((request, response) => serve(request, response))
const sockets = new Set()
server.on('connection', socket => {
  if (down) return socket.destroy()
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
})

// rotate makes a provider with a new key. Tokens are kept outside of providers, so that opaque ones live on.
function rotate() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' }
  serve = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: Object.keys(clients).map(id => ({
      client_id: id, client_secret: `${id}-secret`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    })),
    cookies: { keys: [randomUUID()] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:resource',
        getResourceServerInfo: (context, resource, client) => {
          const { scope, audience, lifetime, opaque } = clients[client.clientId]
          return { scope, audience, accessTokenTTL: lifetime, accessTokenFormat: opaque ? 'opaque' : 'jwt', jwt: { sign: { alg: 'RS256' } } }
        },
      },
    },
    ttl: { ClientCredentials: (context, token) => token.resourceServer.accessTokenTTL },
  }).callback()
}

const orders = {
  rotate,
  down: () => { down = true; for (const socket of sockets) socket.destroy() },
  up: () => { down = false },
}

server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`
  rotate()
  console.log(JSON.stringify({ issuer }))
  createInterface({ input: process.stdin })
    .on('line', order => { orders[order](); console.log('done') })
    .on('close', () => process.exit(0))
})
