/** A real app process that is killed, started again and cut off: after each it holds what baton's view holds, which is what Redis has. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nodePath } from '../../kit/baton.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { freePorts } from '../../kit/free-ports.ts'
import { needs } from '../../kit/packages.ts'
import { startRedis } from '../../kit/redis.ts'
import { send } from '../../kit/send.ts'
import { until } from '../../kit/until.ts'
import { startRig } from './rig.ts'

const program = fileURLToPath(new URL('program/app.ts', import.meta.url))
const names = Array.from({ length: 500 }, (_, at) => `k:${at}`)

async function startApp(t: TestContext, port: number): Promise<{ kill(): Promise<void> }> {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const child = spawn(nodePath, [program], { env: { ...env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  t.after(kill)
  await once(child.stdout, 'data')
  return { kill }
}

describe('an app process that is pushed to', { skip: needs('redis-server') }, () => {
  test('holds what baton holds, after it was killed, started again, and acknowledgements were lost', async (t) => {
    await using redis = await startRedis()
    const [port = 0] = await freePorts(1)
    await using proxy = await startFaultProxy(port)
    await using rig = await startRig({ redisPort: redis.port, appPort: proxy.port, push: { timeoutMs: 300, leaseMs: 3_000, batchOps: 64 } })
    const { view, tracker, pusher } = rig

    let written = 0
    /** Some of them, behind baton's back. */
    const write = async (): Promise<void> => {
      for (let count = 0; count < 60; count += 1) {
        written += 1
        await redis.say(written % 7 === 0 ? `DEL k:${written % 500}` : `SET k:${(written * 17) % 500} v${written}`)
      }
    }
    const held = async (): Promise<readonly (string | null)[]> => {
      const { body } = await send({ port, path: `/read?${names.join(',')}` })
      return JSON.parse(body) as (string | null)[]
    }
    const viewed = (): readonly (string | null)[] =>
      names.map((name) => {
        const payload = view.peek(name)?.payload
        return payload?.is === 'string' ? payload.value.toString() : payload?.is === 'absent' ? null : '(miss)'
      })
    const stored = async (): Promise<readonly (string | null)[]> => {
      const replies = (await tracker.session?.aside([['MGET', ...names]]))?.[0]
      return Array.isArray(replies) ? replies.map((reply) => (Buffer.isBuffer(reply) ? reply.toString() : null)) : []
    }
    const settles = async (): Promise<void> => {
      await tracker.barrier()
      await Promise.all(names.map((name) => tracker.filled(name, 'any', view)))
      await tracker.barrier()
      assert.equal(await pusher.synced(), true)
      const inView = viewed()
      assert.deepEqual(inView, await stored())
      assert.deepEqual(await held(), inView)
    }

    const first = await startApp(t, port)
    await write()
    await settles()

    await first.kill()
    await write()
    await until(
      () => pusher.progress.state === 'unreachable',
      () => JSON.stringify(pusher.progress),
    )
    const second = await startApp(t, port)
    await settles()

    // batches arrive, answers are lost
    const { resyncs } = pusher.progress
    for (let count = 0; count < 10; count += 1) {
      const writing = write()
      proxy.weather = { is: 'slow', ms: 3 }
      await writing
      proxy.reset()
    }
    proxy.weather = { is: 'black-hole' }
    await write()
    await until(
      () => pusher.progress.state === 'unreachable',
      () => JSON.stringify(pusher.progress),
    )
    proxy.reset()
    proxy.weather = { is: 'fair' }
    await settles()
    assert.ok(pusher.progress.resyncs > resyncs)

    // restarted so fast that only its instance tells
    await second.kill()
    await startApp(t, port)
    await write()
    await settles()
  })
})
