/** Apps that others have started, and how baton ends them: when an upgrade or an operator retires their version, and at no other time. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { identify, isAlive } from '../../src/keeper/proc.ts'
import { type Baton, startBaton } from '../kit/baton.ts'
import { EventReceiver } from '../kit/event-receiver.ts'
import { askWho } from '../kit/load.ts'
import { logged, statusOf, untilProbe } from '../kit/observed.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

interface UpgradeView {
  readonly phase: string
  readonly todo?: string
  readonly frozen?: { readonly code: string; readonly detail: string } | null
}

const folder = mkdtempSync(join(tmpdir(), 'baton-external-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function byPid(app: TestApp, version: string, given: object = {}) {
  const pidFile = join(folder, `${version}.pid`)
  writeFileSync(pidFile, `${app.pid}\n`, { mode: 0o644 })
  return { signal: { pidFile, ...given } }
}

async function start(v1: TestApp, v2: TestApp, stop: object): Promise<Baton> {
  const baton = await startBaton({
    config: {
      bootstrap: { retirements: { old: stop, next: byPid(v2, 'v2') } },
      versions: { v1: { url: v1.url, retire: 'old' }, v2: { url: v2.url, retire: 'next' } },
      stable: 'v1',
      health: { http: '/healthz', interval: '500ms', fastInterval: '50ms' },
      drain: { grace: '1s', deadline: '2s' },
    },
  })
  await untilProbe(baton, 'ready', 'v1', 'v2')
  return baton
}

async function order(baton: Baton, name: string, body: object = {}): Promise<string> {
  const answer = await baton.admin('POST', `/v1/${name}`, body)
  assert.ok(answer.status < 300, answer.body)
  return (JSON.parse(answer.body) as { is: string }).is
}

async function reaches(baton: Baton, holds: (upgrade: UpgradeView) => boolean): Promise<UpgradeView> {
  let seen: UpgradeView | null = null
  await until(
    async () => {
      // a generation that was just killed answers nothing for a moment
      const status = await statusOf(baton).catch(() => null)
      seen = (status as { upgrade: UpgradeView | null } | null)?.upgrade ?? null
      return seen !== null && holds(seen)
    },
    () => `${JSON.stringify(seen)}\n${baton.output()}`,
  )
  return seen as unknown as UpgradeView
}

const runs = ({ pid }: TestApp) => isAlive(identify(pid))

describe('an external app', () => {
  test('gets its signal at the end of an upgrade, when it has nothing left to answer; the new one outlives baton', async () => {
    await using v1 = await startTestApp('v1')
    await using v2 = await startTestApp('v2')
    await using baton = await start(v1, v2, byPid(v1, 'v1'))
    await using traffic = askWho(baton.publicPort, 2)
    await order(baton, 'upgrade', { to: 'v2', plan: 'at-once' })
    await reaches(baton, ({ phase }) => phase === 'done')
    assert.equal(runs(v1), false)
    const [retired, ...more] = logged(baton, 'version.retired')
    assert.deepEqual([retired?.version, retired?.retirement, retired?.outcome, more.length], ['v1', 'old', 'stopped', 0])
    const { wrong, errors } = await traffic.stop()
    assert.deepEqual([wrong, errors], [[], {}])
    assert.equal((await baton.stop()).code, 0)
    assert.equal(runs(v2), true)
  })

  test('that does not go freezes the upgrade, with the reason; ended by hand, it is gone for `resume`', async () => {
    await using v1 = await startTestApp('v1', { STUBBORN: '1' })
    await using v2 = await startTestApp('v2')
    await using baton = await start(v1, v2, byPid(v1, 'v1', { stopTimeout: '200ms' }))
    await using traffic = askWho(baton.publicPort, 2)
    await order(baton, 'upgrade', { to: 'v2', plan: 'at-once' })
    const { phase, frozen } = await reaches(baton, (upgrade) => (upgrade.frozen ?? null) !== null)
    assert.deepEqual([phase, frozen?.code], ['stop-old', 'stop-failed'])
    assert.match(frozen?.detail ?? '', new RegExp(`^v1 is not retired by old: process ${v1.pid} still runs 200 ms after SIGTERM$`))
    assert.equal(runs(v1), true)
    await order(baton, 'resume')
    await reaches(baton, (upgrade) => (upgrade.frozen ?? null) !== null)
    await v1.kill()
    await order(baton, 'resume')
    await reaches(baton, (upgrade) => upgrade.phase === 'done')
    assert.deepEqual(
      logged(baton, 'version.retired').map(({ outcome }) => outcome),
      ['gone'],
    )
    const { wrong, errors } = await traffic.stop()
    assert.deepEqual([wrong, errors], [[], {}])
  })

  test('that goes while baton is killed with -9 is found gone, and the upgrade ends', async () => {
    await using v1 = await startTestApp('v1', { STUBBORN: '1' })
    await using v2 = await startTestApp('v2')
    await using baton = await start(v1, v2, byPid(v1, 'v1', { stopTimeout: '1h' }))
    await order(baton, 'upgrade', { to: 'v2', plan: 'at-once' })
    await reaches(baton, ({ phase, todo }) => phase === 'stop-old' && todo === 'stop')
    process.kill((await statusOf(baton)).baton.pid, 'SIGKILL')
    await v1.kill()
    await reaches(baton, ({ phase }) => phase === 'done')
    assert.equal(logged(baton, 'version.retired').at(-1)?.outcome, 'gone')
    assert.equal(runs(v2), true)
  })

  test('is called by an order to retire; where that fails, the order said again tries again', async () => {
    await using v1 = await startTestApp('v1')
    await using v2 = await startTestApp('v2')
    await using warden = await EventReceiver.listen()
    warden.answer = (response) => response.writeHead(warden.told.length === 1 ? 500 : 200).end()
    await using baton = await start(v1, v2, { http: { url: `http://127.0.0.1:${warden.port}/stop/v1`, method: 'PUT' } })
    await order(baton, 'stable', { version: 'v2' })
    assert.equal(await order(baton, 'retire', { version: 'v1' }), 'accepted')
    await until(
      () => logged(baton, 'rollout.failed').length === 1,
      () => baton.output(),
    )
    assert.match(String(logged(baton, 'rollout.failed')[0]?.reason), /^v1 is not retired by old: PUT to 127\.0\.0\.1:\d+ answered 500$/)
    assert.equal(await order(baton, 'retire', { version: 'v1' }), 'unchanged')
    await until(
      () => logged(baton, 'version.retired').length === 1,
      () => baton.output(),
    )
    assert.deepEqual(
      warden.told.map(({ method, path }) => `${method} ${path}`),
      ['PUT /stop/v1', 'PUT /stop/v1'],
    )
  })
})
