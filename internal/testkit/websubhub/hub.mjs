// Runs an independent WebSub hub (@dwk/websub) as a server on loopback. The library does
// the work of a hub: it reads requests, verifies subscribers, fetches, signs and delivers.
// This file replaces the platform that the library is made for: the listener, a queue in
// memory, and a store of subscriptions.
//
// usage: node --input-type=module -e "$(cat hub.mjs)" HOST:PORT...
// It must run in the folder that scripts/install-websub-hub creates, and calls only the
// servers in its arguments. It prints its address on the first line.
import { createServer } from 'node:http'
import { createWebSub, createWebSubQueueConsumer } from '@dwk/websub'

const fetchAllowedHosts = process.argv.slice(1)

const subscriptions = new Map()
const nameOf = (callback, topic) => `${topic} ${callback}`
const store = {
  async upsert({ callback, topic, secret, leaseSeconds, now }) {
    const row = { callback, topic, secret: secret ?? null, leaseSeconds, expiresAt: now + leaseSeconds * 1000, createdAt: now }
    subscriptions.set(nameOf(callback, topic), row)
  },
  async remove(callback, topic) { subscriptions.delete(nameOf(callback, topic)) },
  async get(callback, topic) { return subscriptions.get(nameOf(callback, topic)) ?? null },
  async listActive(topic, now) { return [...subscriptions.values()].filter((s) => s.topic === topic && s.expiresAt > now) },
  async pruneExpired(now) {
    const old = [...subscriptions].filter(([, s]) => s.expiresAt <= now)
    old.forEach(([name]) => subscriptions.delete(name))
    return old.length
  },
}

const large = new Map()
const bucket = {
  async put(key, body) { large.set(key, body) },
  async get(key) { return large.has(key) ? { arrayBuffer: async () => Uint8Array.from(large.get(key)).buffer } : null },
}

const queue = {
  async send(body) { later(body, 1, 0) },
  async sendBatch(messages) { for (const { body } of messages) later(body, 1, 0) },
}
const env = { WEBSUB_QUEUE: queue, WEBSUB_CONTENT: bucket }

let work = async () => {}

// later handles a message after some seconds, and again if the hub asks for a retry.
function later(body, attempts, seconds) {
  setTimeout(() => {
    let again = null
    const message = {
      id: String(attempts), timestamp: new Date(), body, attempts,
      ack() {}, retry(options) { again = options?.delaySeconds ?? 1 },
    }
    work({ queue: 'websub', messages: [message], ackAll() {}, retryAll() { again = 1 } }, env, {})
      .catch((error) => { console.error(error); again = 1 })
      .then(() => { if (again !== null) later(body, attempts + 1, again) })
  }, seconds * 1000)
}

let answer
const server = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const asked = new Request(`http://${request.headers.host}${request.url}`, {
    method: request.method, headers: request.headers, body: request.method === 'POST' ? Buffer.concat(chunks) : undefined,
  })
  const answered = await answer(asked, env, {})
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  response.end(Buffer.from(await answered.arrayBuffer()))
})
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${server.address().port}/`
  const config = {
    baseUrl: address, fetchAllowedHosts,
    isAllowedTopic: (topic) => fetchAllowedHosts.includes(new URL(topic).host),
    logger: { debug() {}, info() {}, warn: console.error, error: console.error },
  }
  answer = createWebSub(config)
  work = createWebSubQueueConsumer(config, { store })
  console.log(address)
})

// The process that started the hub holds its standard input, so the hub ends with it.
process.stdin.resume().on('end', () => process.exit(0))
