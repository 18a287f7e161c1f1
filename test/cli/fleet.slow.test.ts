import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { configKeyOf, instanceKeyOf } from '../../src/config/etcd/keys.ts'
import { type InstanceRecord, writeRecord } from '../../src/fleet/record.ts'
import { record } from '../fleet/fixture.ts'
import { needs } from '../kit/packages.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'
import { document, type SharedEtcd, type SharedFleet, shareEtcd } from './shared-etcd.ts'

const far = 'versions: { v1: { url: "http://10.9.9.9:80" } }\nstable: v1\n'

describe('a fleet', { skip: needs('etcd') }, () => {
  let etcd: SharedEtcd
  before(async () => {
    etcd = await shareEtcd()
  })
  after(() => etcd.close())

  async function start(t: TestContext, fleet: SharedFleet, ...args: Parameters<SharedFleet['start']>) {
    const baton = await fleet.start(...args)
    t.after(() => baton[Symbol.asyncDispose]())
    return baton
  }

  /** What `baton fleet --json` tells, once it tells what is waited for. */
  async function roster(
    fleet: SharedFleet,
    isRight: (instances: readonly InstanceRecord[]) => boolean,
  ): Promise<readonly InstanceRecord[]> {
    let seen = ''
    return await until(
      async () => {
        const { stdout, stderr, code } = await fleet.run('fleet', '--json')
        assert.deepEqual([code, stderr], [0, ''])
        seen = stdout
        const { instances, unknown } = JSON.parse(stdout)
        assert.deepEqual(unknown, [])
        return isRight(instances) && instances
      },
      () => seen,
    )
  }

  test('of nobody is told as such', async () => {
    const fleet = etcd.fleet()
    const { code, stdout } = await fleet.run('fleet')
    assert.deepEqual([code, stdout], [0, 'no instance\n'])
    assert.deepEqual(await roster(fleet, () => true), [])
  })

  test('takes a configuration as one: put --wait says who has it, and baton fleet shows it until they have stopped', async (t) => {
    const fleet = etcd.fleet()
    const bootstrap = { processes: { app: managedApp('v1') } }
    const dynamic = { versions: { v1: { process: 'app' } }, stable: 'v1' }
    const [one] = await Promise.all([start(t, fleet, 'one', bootstrap, dynamic), start(t, fleet, 'two')])
    await roster(fleet, ({ length }) => length === 2)
    fleet.file(
      'new.yaml',
      'versions: { v1: { url: "http://127.0.0.1:1" }, v2: { url: "http://127.0.0.1:2" } }\nstable: v1\ncandidate: v2\n',
    )
    const put = await fleet.run('config', 'put', 'new.yaml', '--wait')
    assert.deepEqual([put.code, put.stderr], [0, ''])
    assert.match(put.stdout, /^revision \d+\n(taken by [01] of 2, waiting for [^\n]*\n)*taken by 2 of 2\n$/)
    const revision = Number(/\d+/.exec(put.stdout)?.[0])
    const again = await fleet.run('config', 'put', 'new.yaml', '--wait', '--json')
    const taken = { is: 'unchanged', revision, taken: ['one', 'two'], refused: [], pending: [] }
    assert.deepEqual([again.code, JSON.parse(again.stdout)], [0, taken])

    const [first] = await roster(fleet, (all) => all.every((instance) => instance.revision === revision))
    assert.deepEqual([first?.id, first?.roles, first?.refused, first?.stale], ['one', { stable: 'v1', candidate: 'v2' }, null, null])
    assert.deepEqual(Object.keys(first?.limits.processes ?? {}), ['app'])
    const [head, ...rows] = (await fleet.run('fleet')).stdout.trimEnd().split('\n')
    assert.match(head ?? '', /^INSTANCE +REVISION +STABLE +CANDIDATE +UPGRADE +BATON +UP +HEALTH$/)
    assert.match(rows[0] ?? '', new RegExp(`^one +${revision} +v1 +v2 +- +\\S+ +\\d+[sm] +(ready|not ready \\([^)]+\\))$`))
    assert.match(rows[1] ?? '', new RegExp(`^two +${revision} +v1 +v2 `))

    // Back to what it began with: the managed app serves, and that is told.
    fleet.file('app.yaml', 'versions: { v1: { process: app } }\nstable: v1\n')
    assert.equal((await fleet.run('config', 'put', 'app.yaml', '--force')).code, 0)
    const [ready, refusing] = await roster(fleet, ([a, b]) => a?.ready === true && b?.refused !== null)
    assert.equal(ready?.whyNotReady, null)
    assert.match(refusing?.refused?.faults[0] ?? '', /^etcd:\/test\/\d+\/config:1:\d+ versions\.v1\.process: found "app"/)
    assert.match(
      (await fleet.run('fleet')).stdout,
      /^one .* ready\ntwo .* not ready \([^)]+\); refused revision \d+: etcd:\/test\/\d+\/config:1:/m,
    )

    assert.deepEqual(await one.stop(), { code: 0, signal: null })
    const left = await roster(fleet, () => true)
    assert.deepEqual(
      left.map(({ id }) => id),
      ['two'],
    )
  })

  test('of which one refuses: put is exit 4 and names it; put --force --wait is exit 5 and tells why', async (t) => {
    const fleet = etcd.fleet()
    fleet.file('far.yaml', far)
    await Promise.all([start(t, fleet, 'open', { allowUpstreams: ['loopback', '10.0.0.0/8'] }), start(t, fleet, 'strict')])
    await roster(fleet, ({ length }) => length === 2)
    const refused = await fleet.run('config', 'put', 'far.yaml', '--wait')
    assert.deepEqual([refused.code, refused.stdout], [4, ''])
    assert.match(refused.stderr, /\nfar\.yaml:1:24 versions\.v1\.url: found 10\.9\.9\.9, [^\n]* \[strict\]\n$/)

    const forced = await fleet.run('config', 'put', 'far.yaml', '--force', '--wait')
    assert.deepEqual([forced.code, forced.stderr], [5, ''])
    assert.match(
      forced.stdout,
      /\ntaken by 1 of 2, refused by 1\nstrict refused it:\n {2}etcd:\/test\/\d+\/config:1:24 versions\.v1\.url: found 10\.9\.9\.9, [^\n]*\n$/,
    )
    const json = await fleet.run('config', 'put', 'far.yaml', '--force', '--wait', '--json')
    const { revision, refused: told, ...rest } = JSON.parse(json.stdout)
    assert.deepEqual([json.code, rest], [5, { is: 'unchanged', taken: ['open'], pending: [] }])
    assert.deepEqual([told.length, told[0].id, told[0].faults.length], [1, 'strict', 1])

    fleet.file('near.yaml', document(1))
    const mended = await fleet.run('config', 'put', 'near.yaml', '--expect-revision', String(revision), '--wait')
    assert.deepEqual([mended.code, mended.stdout.endsWith('taken by 2 of 2\n')], [0, true])
    const back = await fleet.run('config', 'rollback', String(revision), '--wait')
    assert.deepEqual([back.code, /\[strict\]\n$/.test(back.stderr)], [4, true])
  })

  /** An instance that is there, and does nothing. */
  const silent = (prefix: string, revision = 0) =>
    etcd.store.commit([], [{ is: 'put', key: instanceKeyOf(prefix, 'silent'), value: writeRecord({ ...record, id: 'silent', revision }) }])

  /** The revision of the configuration, once it is written. */
  const written = (prefix: string): Promise<number> =>
    until(
      async () => (await etcd.store.get(configKeyOf(prefix))).entry?.revision ?? null,
      () => 'nothing was written',
    )

  test('of which one says nothing: put --wait is exit 5 after its time, and names it', async () => {
    const fleet = etcd.fleet()
    fleet.file('new.yaml', document(1))
    await silent(fleet.prefix)
    const put = await fleet.run('config', 'put', 'new.yaml', '--wait', '--timeout', '300ms')
    assert.equal(put.code, 5)
    assert.match(put.stdout, /^revision \d+\ntaken by 0 of 1, waiting for silent\nsilent has not taken it within 0\.3 s\n$/)
    const json = await fleet.run('config', 'put', 'new.yaml', '--wait', '--timeout', '0s', '--json')
    const { revision, ...rest } = JSON.parse(json.stdout)
    assert.deepEqual([json.code, rest], [5, { is: 'unchanged', taken: [], refused: [], pending: ['silent'] }])
    // It ends without a timeout once the last has gone.
    const waiting = fleet.run('config', 'put', 'new.yaml', '--wait')
    await etcd.store.commit([], [{ is: 'delete', key: instanceKeyOf(fleet.prefix, 'silent') }])
    assert.equal((await waiting).code, 0)
    assert.equal(revision, await written(fleet.prefix))
  })

  test('whose etcd goes away and comes back while put waits: it waits on', async () => {
    const fleet = etcd.fleet()
    fleet.file('new.yaml', document(1))
    await silent(fleet.prefix)
    const waiting = fleet.run('config', 'put', 'new.yaml', '--wait')
    const revision = await written(fleet.prefix)
    await etcd.member.stop('SIGKILL')
    await etcd.member.start()
    await silent(fleet.prefix, revision)
    const { code, stdout, stderr } = await waiting
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /taken by 1 of 1\n$/)
  })

  test('whose etcd goes away for good while put waits: one line, exit 1', async (t) => {
    const fleet = etcd.fleet()
    fleet.file('new.yaml', document(1))
    await silent(fleet.prefix)
    const waiting = fleet.run('config', 'put', 'new.yaml', '--wait', '--timeout', '3s')
    const revision = await written(fleet.prefix)
    await etcd.member.stop('SIGKILL')
    t.after(() => etcd.member.start())
    const { code, stdout, stderr } = await waiting
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`^baton: who has taken revision ${revision} is not known: etcd cannot be reached: [^\n]+\n$`))
    assert.match(stdout, /^revision \d+\n/)
  })

  test('shows keys that nobody understands', async () => {
    const fleet = etcd.fleet()
    const key = instanceKeyOf(fleet.prefix, 'odd')
    await etcd.store.commit([], [{ is: 'put', key, value: '{"v":2}' }])
    assert.equal((await fleet.run('fleet')).stdout, `no instance\n${key}: a record that this build does not understand\n`)
    assert.deepEqual(JSON.parse((await fleet.run('fleet', '--json')).stdout), { instances: [], unknown: [key] })
  })
})
