/** What one request costs each version, while an upgrade runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBaton, startBaton } from '../kit/baton.ts'
import { startLoad } from '../kit/load.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

test('the CPU per request of both versions is in the status under load, for people and as JSON', async () => {
  await using baton = await startBaton({
    config: {
      bootstrap: { processes: { v1: managedApp('v1'), v2: managedApp('v2') } },
      versions: { v1: { process: 'v1' }, v2: { process: 'v2' } },
      stable: 'v1',
      health: { http: '/healthz', interval: '500ms', fastInterval: '50ms' },
      rollout: {
        plans: {
          half: {
            steps: [
              { weight: 50, manual: true },
              { bake: true, manual: true },
            ],
          },
        },
      },
    },
  })
  await baton.ready()
  await using load = startLoad({
    port: baton.publicPort,
    workers: 4,
    request: () => ({ path: '/who' }),
    check: ({ status }) => (status === 200 ? null : String(status)),
  })
  assert.equal((await baton.admin('POST', '/v1/upgrade', { to: 'v2', plan: 'half' })).status, 202)
  const status = (...args: readonly string[]) => runBaton(['status', '--admin', baton.adminSocket, ...args]).then(({ stdout }) => stdout)
  await until(
    async () => {
      const { analysis } = JSON.parse(await status('--json'))
      const { candidate = null, stable = null } = analysis?.cpuPerRequestMs ?? {}
      return candidate > 0 && stable > 0
    },
    () => baton.output(),
  )
  assert.match(await status(), /^cpu\/request +[\d.]+ms .* v1 [\d.]+ms$/m)
  const { wrong, errors } = await load.stop()
  assert.deepEqual([wrong, errors], [[], {}])
})
