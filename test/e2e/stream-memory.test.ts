/** Large bodies pass whole in both directions, and baton holds only a little of them, however slow the other end is. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { blocks, download, MiB, memoryGrowth, upload } from '../kit/large-body.ts'
import { metric, statusOf, untilProbe } from '../kit/observed.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const total = 128 * MiB
/** Over what a smaller body took: garbage, mostly; the buffers of two sockets each way are some MiB. */
const growthMiB = 64

describe(`${total / MiB} MiB`, { skip: process.platform === 'linux' ? false : 'needs /proc' }, () => {
  let app: TestApp
  let baton: Baton
  let pid: number

  before(async () => {
    app = await startTestApp('v1')
    baton = await startBaton({
      config: { versions: { v1: { url: app.url } }, stable: 'v1', timeouts: { idle: '2s' }, health: { http: '/healthz' } },
    })
    await untilProbe(baton, 'ready', 'v1')
    pid = (await statusOf(baton)).baton.pid
    // so that what a large body brings up for good is there before anything is measured
    await download(baton.publicPort, total / 2)
    await upload(baton.publicPort, total / 2)
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    await app.kill()
  })

  const growth = (run: () => Promise<void>): Promise<number> => memoryGrowth(pid, run)

  test('down: every byte arrives, in bounded memory', async () => {
    const grown = await growth(() => download(baton.publicPort, total))
    assert.ok(grown < growthMiB, `grew by ${grown} MiB`)
  })

  test('up, with a length and chunked: every byte arrives, in bounded memory', async () => {
    const grown = await growth(async () => {
      await upload(baton.publicPort, total)
      await upload(baton.publicPort, total, 'chunked')
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
    // its FIN stands behind bytes that nobody takes: only the idle timeout can tell that it has left
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
