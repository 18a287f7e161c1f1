/** SIGTERM and those who would stay for ever: WebSockets and event streams are asked to go, and the end does not wait for its deadline. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { startBaton } from '../kit/baton.ts'
import { startExampleApp } from '../kit/example-app.ts'
import { versionOf } from '../kit/observed.ts'
import { until } from '../kit/until.ts'

test('a WebSocket sees 1012, an event stream ends between two events, and baton is gone long before its deadline', async (t) => {
  const app = await startExampleApp(t, {})
  const config = { versions: { v1: { url: app.url } }, stable: 'v1', health: { http: '/healthz' }, drain: { deadline: '10m' } }
  await using baton = await startBaton({ config })
  await baton.ready()
  const socket = new WebSocket(`ws://127.0.0.1:${baton.publicPort}/ws`)
  const closed = new Promise<number>((resolve, reject) => socket.on('close', resolve).on('error', reject))
  const events = await eventStream(baton.publicPort)
  await until(
    async () => (await versionOf(baton, 'v1')).inFlight === 2,
    () => 'both are under way',
  )
  baton.kill('SIGTERM')
  assert.equal(await closed, 1012)
  assert.match(await events.whole, /\n\n$/)
  assert.equal((await baton.exit).code, 0)
})

/** Resolves with the whole of an event stream once its first event has come; the rest is awaited by its caller. */
async function eventStream(port: number): Promise<{ readonly whole: Promise<string> }> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({ port, host: '127.0.0.1', path: '/events', agent: false }, resolve).on('error', reject)
  })
  let text = ''
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  response.on('end', () => resolve(text)).on('error', reject)
  await until(
    () => text.includes('\n\n'),
    () => 'no event',
  )
  return { whole: promise }
}
