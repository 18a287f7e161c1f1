import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startExampleApp } from '../kit/example-app.ts'

interface ServerEvent {
  readonly id: string
  readonly data: string
}

/** Reads events until `count` have come, then leaves. */
async function readEvents(url: string, count: number, headers: Record<string, string> = {}): Promise<ServerEvent[]> {
  const leave = new AbortController()
  const answer = await fetch(url, { headers, signal: leave.signal })
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  assert.ok(answer.body)
  const events: ServerEvent[] = []
  let text = ''
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const id = /^id: (.*)$/m.exec(block)?.[1]
      if (id !== undefined) events.push({ id, data: /^data: (.*)$/m.exec(block)?.[1] ?? '' })
    }
    if (events.length >= count) break
  }
  leave.abort()
  return events
}

describe('example app', () => {
  test('two versions differ in name, colour and text, and the page says whether the canary header was there', async (t) => {
    const [v1, v2] = await Promise.all([startExampleApp(t, { APP_VERSION: 'v1' }), startExampleApp(t, { APP_VERSION: 'v2' })])
    const [first, second, canary] = await Promise.all([
      fetch(v1.url).then((answer) => answer.text()),
      fetch(v2.url).then((answer) => answer.text()),
      fetch(v2.url, { headers: { 'x-canary': 'true' } }).then((answer) => answer.text()),
    ])
    assert.match(first, /<h1>v1<\/h1>/)
    assert.match(second, /<h1>v2<\/h1>/)
    const colour = (page: string) => /background: (#\w+)/.exec(page)?.[1]
    assert.notEqual(colour(first), colour(second))
    assert.match(second, /without the canary header/)
    assert.match(canary, /by the canary header/)
  })

  test('a version of any other name is escaped in the page', async (t) => {
    const app = await startExampleApp(t, { APP_VERSION: '<b>' })
    assert.match(await (await fetch(app.url)).text(), /<h1>&#60;b&#62;<\/h1>/)
  })

  test('/api/hello tells its version, its pid and what the proxy said', async (t) => {
    const app = await startExampleApp(t, { APP_VERSION: 'v2' })
    const headers = { 'baton-version': 'v2', 'x-forwarded-for': '192.0.2.1', via: '1.1 baton' }
    assert.deepEqual(await (await fetch(`${app.url}/api/hello`, { headers })).json(), { version: 'v2', pid: app.child.pid, ...headers })
    const bare = await (await fetch(`${app.url}/api/hello`)).json()
    assert.deepEqual(bare, { version: 'v2', pid: app.child.pid, 'baton-version': null, 'x-forwarded-for': null, via: null })
  })

  test('/api/echo counts and hashes a streamed body', async (t) => {
    const app = await startExampleApp(t)
    const parts = [Buffer.alloc(100_000, 'a'), Buffer.alloc(3, 'b'), Buffer.alloc(200_000, 'c')]
    const body = Readable.toWeb(Readable.from(parts)) as ReadableStream
    const answer = await fetch(`${app.url}/api/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    const sha256 = createHash('sha256').update(Buffer.concat(parts)).digest('hex')
    assert.deepEqual(await answer.json(), { version: 'v1', bytes: 300_003, sha256 })
  })

  test('/api/notes keeps what is posted, refuses what is no note, and keeps 100 at most', async (t) => {
    const app = await startExampleApp(t)
    const post = (body: string) => fetch(`${app.url}/api/notes`, { method: 'POST', body })
    assert.equal((await post('{"text": "first"}')).status, 201)
    assert.deepEqual(await (await fetch(`${app.url}/api/notes`)).json(), { version: 'v1', notes: [{ id: 1, text: 'first' }] })
    assert.equal((await post('{"text": 1}')).status, 400)
    assert.equal((await post('no json')).status, 400)
    assert.equal((await post(JSON.stringify({ text: 'x'.repeat(5000) }))).status, 413)
    for (let count = 0; count < 100; count += 1) await post('{"text": "more"}')
    const { notes } = (await (await fetch(`${app.url}/api/notes`)).json()) as { notes: { id: number }[] }
    assert.equal(notes.length, 100)
    assert.equal(notes[0]?.id, 2)
  })

  test('/events sends numbered events and goes on after Last-Event-ID', async (t) => {
    const app = await startExampleApp(t, { APP_VERSION: 'v2' })
    const events = await readEvents(`${app.url}/events`, 2)
    assert.deepEqual(
      events.map((event) => event.id),
      ['1', '2'],
    )
    assert.equal(JSON.parse(events[0]?.data ?? '').version, 'v2')
    const later = await readEvents(`${app.url}/events`, 1, { 'last-event-id': '41' })
    assert.equal(later[0]?.id, '42')
  })

  test('/slow answers in the time asked for, and refuses what is no time', async (t) => {
    const app = await startExampleApp(t)
    const start = performance.now()
    assert.deepEqual(await (await fetch(`${app.url}/slow?ms=120`)).json(), { version: 'v1', ms: 120 })
    assert.ok(performance.now() - start >= 119)
    assert.equal((await fetch(`${app.url}/slow?ms=never`)).status, 400)
    assert.equal((await fetch(`${app.url}/slow?ms=60001`)).status, 400)
  })

  test('/bytes sends exactly what was asked for, and a client that does not read holds up nobody', async (t) => {
    const app = await startExampleApp(t)
    const body = Buffer.from(await (await fetch(`${app.url}/bytes?n=1000003`)).arrayBuffer())
    assert.equal(body.length, 1_000_003)
    assert.ok(body.every((byte, index) => byte === index % 251))
    assert.equal((await fetch(`${app.url}/bytes?n=-1`)).status, 400)

    const socket = connect(app.port, '127.0.0.1')
    t.after(() => socket.destroy())
    socket.write('GET /bytes?n=400000000 HTTP/1.1\r\nHost: app\r\n\r\n')
    await once(socket, 'readable') // the answer has begun and nobody reads it
    assert.equal((await fetch(`${app.url}/healthz`)).status, 200)
  })

  test('/healthz answers 503 until the start delay has passed', async (t) => {
    const app = await startExampleApp(t, { START_DELAY_MS: '700' })
    const first = await fetch(`${app.url}/healthz`)
    assert.equal(first.status, 503)
    assert.deepEqual(await first.json(), { version: 'v1', status: 'starting' })
    for (let status = 503; status !== 200; ) {
      const answer = await fetch(`${app.url}/healthz`)
      await answer.arrayBuffer()
      status = answer.status
      assert.ok(status === 200 || status === 503)
    }
  })

  test('an unknown page is 404, a wrong method 405 with Allow, and HEAD has no body', async (t) => {
    const app = await startExampleApp(t)
    assert.equal((await fetch(`${app.url}/nowhere`)).status, 404)
    assert.equal((await fetch(`${app.url}/constructor`)).status, 404)
    const wrong = await fetch(`${app.url}/api/notes`, { method: 'DELETE' })
    assert.equal(wrong.status, 405)
    assert.equal(wrong.headers.get('allow'), 'GET, POST')
    const head = await fetch(`${app.url}/bytes?n=77`, { method: 'HEAD' })
    assert.equal(head.headers.get('content-length'), '77')
    assert.equal((await head.arrayBuffer()).byteLength, 0)
  })

  test('it listens on a Unix socket when SOCKET says so', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-app-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const socketPath = join(folder, 'app.sock')
    await startExampleApp(t, { SOCKET: socketPath })
    const call = request({ socketPath, path: '/healthz' }).end()
    const [answer] = await once(call, 'response')
    answer.resume()
    assert.equal(answer.statusCode, 200)
  })

  test('a bad PORT is one line and exit code 2', () => {
    const file = fileURLToPath(new URL('../../examples/app/app.ts', import.meta.url))
    const run = spawnSync(process.execPath, [file], { env: { ...process.env, PORT: '80a' }, encoding: 'utf8' })
    assert.equal(run.status, 2)
    assert.equal(run.stderr, 'PORT: found "80a", expected a whole number up to 65535\n')
  })

  test('SIGTERM lets a request end, closes streams, refuses new connections and exits 0', async (t) => {
    const app = await startExampleApp(t)
    const slow = fetch(`${app.url}/slow?ms=600`)
    const stream = await fetch(`${app.url}/events`)
    await fetch(`${app.url}/healthz`) // the slow request was sent before this answer came
    app.child.kill('SIGTERM')
    assert.match(await stream.text(), /id: 1\n/)
    await assert.rejects(fetch(`${app.url}/healthz`))
    const answer = await slow
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { version: 'v1', ms: 600 })
    assert.equal(await app.ended, 0)
  })
})
