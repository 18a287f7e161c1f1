/** What baton writes: JSON lines, a pretty form on a terminal, and the access log as it is wanted. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Baton, batonPath, nodePath, startBaton } from '../kit/baton.ts'
import { logged, statusOf } from '../kit/observed.ts'
import { needs } from '../kit/packages.ts'
import { send } from '../kit/send.ts'
import { spawnInTerminal } from '../kit/terminal.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

async function swap(baton: Baton, app: TestApp, accessLog: unknown): Promise<void> {
  const answer = await baton.admin('PUT', '/v1/config', { versions: { v1: { url: app.url } }, stable: 'v1', accessLog })
  assert.equal(answer.status, 200, answer.body)
}

async function ask(baton: Baton, count: number, path: string): Promise<void> {
  for (let n = 0; n < count; n++) await send({ port: baton.publicPort, path: `${path}?n=${n}` })
}

describe('logs', () => {
  test('every line is one JSON object with time, level and event, through start, refusal, swap and end', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1' } })
    await baton.ready()
    await baton.admin('PUT', '/v1/config', 'versions: [')
    await swap(baton, app, 'off')
    baton.kill('SIGUSR2')
    await until(
      () => baton.output().includes('SIGUSR2'),
      () => baton.output(),
    )
    assert.equal((await baton.stop()).code, 0)
    const lines = baton.output().trim().split('\n')
    const events = lines.map((line) => {
      const { time, level, event } = JSON.parse(line) as Record<string, string>
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.match(String(level), /^(debug|info|warn|error)$/)
      return event
    })
    for (const event of ['baton.ready', 'version.ready', 'config.rejected', 'keeper.upgrade-refused', 'baton.leaving', 'baton.left']) {
      assert.ok(events.includes(event), `${event} in ${events}`)
    }
  })

  test('the access log is off, on or sampled, and follows a swap', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1' } })
    await baton.ready()
    await ask(baton, 10, '/who')
    await swap(baton, app, 'on')
    await ask(baton, 3, '/headers')
    await until(
      () => logged(baton, 'access').length === 3,
      () => baton.output(),
    )
    const [line] = logged(baton, 'access')
    assert.deepEqual(
      [line?.client, line?.method, line?.target, line?.status, line?.version, line?.attempts, line?.fault],
      ['127.0.0.1', 'GET', '/headers?n=0', 200, 'v1', 1, null],
    )
    assert.ok(Number(line?.sent_bytes) > 50 && Number(line?.duration_ms) > 0)
    await swap(baton, app, { sample: 0.5 })
    await ask(baton, 200, '/bytes')
    await swap(baton, app, 'off')
    await ask(baton, 10, '/who')
    assert.equal((await baton.stop()).code, 0)
    const sampled = logged(baton, 'access').length - 3
    // 100 of 200 within seven standard deviations
    assert.ok(sampled > 50 && sampled < 150, `${sampled} of 200`)
    assert.equal(logged(baton, 'access').filter(({ target }) => String(target).startsWith('/who')).length, 0)
  })

  test('a secret in a header or a query value of the configuration never shows up', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', accessLog: 'on' } })
    await baton.ready()
    await send({ port: baton.publicPort, path: '/who', headers: { authorization: 'Bearer sesame', cookie: 'session=sesame' } })
    await until(
      () => logged(baton, 'access').length === 1,
      () => baton.output(),
    )
    assert.ok(!baton.output().includes('sesame'))
  })

  test('on a terminal they are for people', { skip: needs('script') }, async () => {
    await using app = await startTestApp('v1')
    await using scratch = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1' } })
    await scratch.stop()
    const file = join(scratch.dir, 'terminal.yaml')
    writeFileSync(file, scratch.config)
    const child = spawnInTerminal([nodePath, batonPath, 'run', '-c', file], { cwd: scratch.dir })
    let shown = ''
    child.stdout.on('data', (chunk) => (shown += chunk))
    const exit = once(child, 'exit')
    try {
      await until(
        () => shown.includes('baton.ready'),
        () => shown,
      )
      assert.ok(shown.includes('\u001b['), 'colours')
      assert.match(shown, /\d\d:\d\d:\d\d .*info.* baton\.ready +pid=\d+/)
      assert.ok(!shown.includes('{"time"'))
      const { pid, keeperPid } = (await statusOf(scratch)).baton
      child.stdin.write('\u0003') // Ctrl-C
      assert.deepEqual(await exit, [0, null])
      for (const each of [pid, keeperPid]) assert.throws(() => process.kill(each, 0), { code: 'ESRCH' })
    } finally {
      child.kill('SIGKILL')
    }
  })
})
