/** Large bodies pass whole in both directions, and baton holds only a little of them, however slow the other end is. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Baton, startBaton } from '../kit/baton.ts'
import { metric, statusOf, untilProbe } from '../kit/observed.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/wait-until.ts'

const MiB = 1024 * 1024
const total = 64 * MiB
/** Buffers of two sockets each way and garbage; a fraction of the body. */
const growthMiB = 48

const pattern = Buffer.from(Uint8Array.from({ length: 251 * 256 }, (_, index) => index % 251))

/** Byte number i is i mod 251. */
function* blocks(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= pattern.length) yield left < pattern.length ? pattern.subarray(0, left) : pattern
}

function digestOf(length: number): string {
  const hash = createHash('sha256')
  for (const block of blocks(length)) hash.update(block)
  return hash.digest('hex')
}

function rssMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

describe('64 MiB', { skip: process.platform === 'linux' ? false : 'needs /proc' }, () => {
  let app: TestApp
  let baton: Baton
  let pid: number

  before(async () => {
    app = await startTestApp('v1')
    baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', health: { http: '/healthz' } } })
    await untilProbe(baton, 'ready', 'v1')
    pid = (await statusOf(baton)).baton.pid
    // so that what the first large body brings up for good is there before anything is measured
    await download(8 * MiB)
    await upload(8 * MiB)
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    await app.kill()
  })

  /** Runs it, and gives by how much the generation's memory grew at most. */
  async function growth(run: () => Promise<void>): Promise<number> {
    const start = rssMiB(pid)
    let peak = start
    let running = true
    const sampled = (async () => {
      for (; running; await sleep(20)) peak = Math.max(peak, rssMiB(pid))
    })()
    await run().finally(() => {
      running = false
    })
    await sampled
    return peak - start
  }

  async function download(length: number): Promise<void> {
    const hash = createHash('sha256')
    let received = 0
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get({ host: '127.0.0.1', port: baton.publicPort, path: `/bytes?n=${length}`, agent: false }, resolve).on('error', reject)
    })
    for await (const chunk of response) {
      hash.update(chunk as Buffer)
      received += (chunk as Buffer).length
    }
    assert.equal(received, length)
    assert.equal(hash.digest('hex'), digestOf(length))
  }

  async function upload(length: number, headers: http.OutgoingHttpHeaders = { 'content-length': length }): Promise<void> {
    const request = http.request({ host: '127.0.0.1', port: baton.publicPort, method: 'POST', path: '/digest', agent: false, headers })
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject))
    for (const block of blocks(length)) {
      if (!request.write(block)) await new Promise((resolve) => request.once('drain', resolve))
    }
    request.end()
    let body = ''
    for await (const chunk of await answered) body += String(chunk)
    const answer = JSON.parse(body) as { length: number; sha256: string }
    assert.deepEqual([answer.length, answer.sha256], [length, digestOf(length)])
  }

  test('down: every byte arrives, in bounded memory', async () => {
    const grown = await growth(() => download(total))
    assert.ok(grown < growthMiB, `grew by ${grown} MiB`)
  })

  test('up, with a length and chunked: every byte arrives, in bounded memory', async () => {
    const grown = await growth(async () => {
      await upload(total)
      await upload(total, { 'transfer-encoding': 'chunked' })
    })
    assert.ok(grown < growthMiB, `grew by ${grown} MiB`)
  })

  test('down to a client that does not read: the app is held back', async () => {
    const client = net.connect(baton.publicPort, '127.0.0.1').pause()
    let received = 0
    const grown = await growth(async () => {
      client.write(`GET /bytes?n=${total} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
      await settled(() => metric(baton, 'process_resident_memory_bytes'))
      assert.equal((await app.seen()).open, 1, 'the app could send it all')
      client.on('data', (chunk) => (received += chunk.length)).resume()
      await new Promise((resolve) => client.once('close', resolve))
    })
    assert.ok(received > total, `${received} bytes`)
    assert.ok(grown < growthMiB, `grew by ${grown} MiB`)
  })

  test('up to an app that does not read: the client is held back', async () => {
    const client = net.connect(baton.publicPort, '127.0.0.1')
    client.on('error', () => undefined)
    const grown = await growth(async () => {
      client.write(`POST /deaf HTTP/1.1\r\nhost: a\r\ncontent-length: ${total}\r\n\r\n`)
      for (const block of blocks(total)) client.write(block)
      await settled(async () => client.bytesWritten - client.writableLength)
      assert.ok(client.writableLength > total / 2, `${client.writableLength} bytes left`)
    })
    client.destroy()
    assert.ok(grown < growthMiB, `grew by ${grown} MiB`)
    await until(
      async () => (await statusOf(baton)).versions[0]?.inFlight === 0,
      () => 'still in flight',
    )
  })
})

/** Until a number has been the same, or nearly, for ten looks. */
async function settled(look: () => Promise<number>): Promise<void> {
  let last = Number.NaN
  let same = 0
  await until(
    async () => {
      const now = await look()
      same = Math.abs(now - last) <= MiB ? same + 1 : 0
      last = now
      return same >= 10
    },
    () => `not settled: ${last}`,
  )
}
