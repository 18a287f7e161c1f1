/** A name that moves is followed. baton runs in a mount namespace whose /etc/hosts is the test's own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBaton } from '../kit/baton.ts'
import { startLoad } from '../kit/load.ts'
import { logged, metric, untilProbe, versionOf } from '../kit/observed.ts'
import { needs } from '../kit/packages.ts'
import { startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const name = 'app.baton.test'

/** Only root may make a mount namespace, and not in every container. */
function cannotMount(): string | false {
  const works = spawnSync('unshare', ['-m', 'true']).status === 0
  return works ? false : 'needs a mount namespace of its own (root, CAP_SYS_ADMIN)'
}

describe('a name that moves', { skip: needs('unshare') || cannotMount() }, () => {
  test('traffic follows within a few look-ups, and no request fails; an address that is not allowed is not followed', async () => {
    await using here = await startTestApp('here')
    await using _there = await startTestApp('there', { HOST: '127.0.0.2', PORT: String(here.port) })
    const dir = mkdtempSync(join(tmpdir(), 'baton-hosts-'))
    const hosts = join(dir, 'hosts')
    const say = (address: string): void => writeFileSync(hosts, `127.0.0.1 localhost\n${address} ${name}\n`)
    try {
      say('127.0.0.1')
      await using baton = await startBaton({
        config: {
          bootstrap: { allowUpstreams: [name] },
          versions: { v1: { url: `http://${name}:${here.port}` } },
          stable: 'v1',
          health: { http: '/healthz', interval: '500ms' },
        },
        // keeps its pid: `exec` all the way
        wrap: ['unshare', '-m', '/bin/sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts],
      })
      await baton.ready()
      const load = startLoad({
        port: baton.publicPort,
        workers: 2,
        request: () => ({ path: '/who' }),
        check({ status, body }) {
          if (status !== 200) return `${status} ${body}`
          by.push((JSON.parse(body) as { version: string }).version)
          return null
        },
      })
      const by: string[] = []
      await using _stopped = load
      await until(
        () => by.length > 20,
        () => 'no load',
      )
      say('127.0.0.2')
      await until(
        () => by.at(-1) === 'there',
        () => baton.output(),
      )
      assert.equal((await versionOf(baton, 'v1')).endpoint, `127.0.0.2:${here.port}`)
      assert.equal(logged(baton, 'version.moved')[0]?.address, '127.0.0.2')
      say('169.254.169.254')
      await until(
        async () => (await metric(baton, 'baton_resolutions_total', { outcome: 'refused' })) > 0,
        () => baton.output(),
      )
      const then = by.length
      await until(
        () => by.length > then + 20,
        () => 'no load',
      )
      const { wrong, errors } = await load.stop()
      assert.deepEqual([wrong, errors], [[], {}])
      assert.ok(by.lastIndexOf('here') < by.indexOf('there') + 4, 'back at the former place')
      assert.equal(by.at(-1), 'there')
      await untilProbe(baton, 'ready', 'v1')
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
