/** The configuration file goes bad, or away, while baton serves: what was last good serves on, over restarts too. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { isFollowed, metric, statusOf, untilProbe } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const config = {
  bootstrap: { processes: { v1: managedApp('v1') } },
  versions: { v1: { process: 'v1' } },
  stable: 'v1',
  health: { http: '/healthz' },
  servedBy: false,
}

const breaks: Readonly<Record<string, (file: string) => void>> = {
  'is no YAML': (file) => writeFileSync(file, 'versions: ['),
  'is empty': (file) => writeFileSync(file, ''),
  'is gone': (file) => rmSync(file),
  'is a folder': (file) => {
    rmSync(file)
    mkdirSync(file)
  },
}

async function nextGeneration(baton: Baton): Promise<void> {
  const { pid } = (await statusOf(baton)).baton
  process.kill(pid, 'SIGKILL')
  await until(
    () => isFollowed(baton, pid),
    () => baton.output(),
  )
}

describe('a configuration file that', () => {
  for (const [what, breakIt] of Object.entries(breaks)) {
    test(`${what}: it is told, and the last good one serves, after a crash too, with the app untouched`, async () => {
      await using baton = await startBaton({ config })
      await untilProbe(baton, 'ready', 'v1')
      const app = (await statusOf(baton)).versions[0]?.process?.pid
      breakIt(baton.configFile)
      baton.kill('SIGHUP')
      await until(
        async () => {
          const { lastFault, stale } = (await statusOf(baton)).config
          return lastFault !== null || stale !== null
        },
        () => baton.output(),
      )
      const ask = () => send({ port: baton.publicPort, path: '/who' })
      assert.equal((await ask()).status, 200)
      await nextGeneration(baton)
      await baton.ready()
      const answer = await ask()
      assert.deepEqual([answer.status, answer.headers['x-served-by']], [200, undefined], 'not the last good configuration')
      const status = await statusOf(baton)
      assert.notEqual(status.config.stale, null)
      assert.equal(await metric(baton, 'baton_config_stale'), 1)
      assert.equal(status.versions[0]?.process?.pid, app)
      rmSync(baton.configFile, { recursive: true, force: true })
      writeFileSync(baton.configFile, JSON.stringify({ ...JSON.parse(baton.config), servedBy: true }))
      baton.kill('SIGHUP')
      await until(
        async () => (await ask()).headers['x-served-by'] === 'v1',
        () => baton.output(),
      )
      assert.equal((await statusOf(baton)).config.stale, null)
      assert.equal((await baton.stop()).code, 0)
      assert.deepEqual(baton.alive(), [])
    })
  }
})
