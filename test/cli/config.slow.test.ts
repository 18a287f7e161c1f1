import assert from 'node:assert/strict'
import { hostname, userInfo } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { configKeyOf, instanceKeyOf } from '../../src/config/etcd/keys.ts'
import { writeRecord } from '../../src/fleet/record.ts'
import { limits, record } from '../fleet/fixture.ts'
import { needs } from '../kit/packages.ts'
import { document, type SharedEtcd, shareEtcd } from './shared-etcd.ts'

const by = `${userInfo().username}@${hostname()}`
const written = (stdout: string): number => Number(/^revision (\d+)\n/.exec(stdout)?.[1] ?? assert.fail(stdout))

describe('baton config', { skip: needs('etcd') }, () => {
  let etcd: SharedEtcd
  before(async () => {
    etcd = await shareEtcd()
  })
  after(() => etcd.close())

  test('of an etcd that has none: get and diff are exit 4, history is empty', async () => {
    const { run, file } = etcd.fleet()
    file('new.yaml', document(3001))
    for (const words of [['get'], ['diff', 'new.yaml']]) {
      const { code, stdout, stderr } = await run('config', ...words)
      assert.deepEqual([code, stdout, stderr], [4, '', 'baton: there is no configuration in etcd yet: baton config put FILE writes one\n'])
    }
    const revision = await run('config', 'get', '--revision', '1')
    assert.deepEqual([revision.code, revision.stderr], [4, 'baton: revision 1 is not kept; "baton config history" lists those that are\n'])
    assert.equal((await run('config', 'rollback', '1')).code, 4)
    const history = await run('config', 'history')
    assert.deepEqual([history.code, history.stdout], [0, 'no configuration yet\n'])
    assert.equal((await run('config', 'history', '--json')).stdout, '[]\n')
  })

  test('put writes, get prints what was written, and diff, history and rollback know what was before', async () => {
    const { run, file } = etcd.fleet()
    const first = `# first ✓\n${document(3001)}`
    const second = document(3002)
    file('first.yaml', first)
    file('second.yaml', second)

    const put = await run('config', 'put', 'first.yaml')
    assert.deepEqual([put.code, put.stderr], [0, ''])
    const one = written(put.stdout)
    const get = await run('config', 'get')
    assert.deepEqual([get.code, get.stdout, get.stderr], [0, first, ''])

    const again = await run('config', 'put', 'first.yaml')
    assert.deepEqual([again.code, again.stdout], [0, `nothing to do: revision ${one} says the same\n`])

    const diff = await run('config', 'diff', 'second.yaml')
    const patch = `--- revision ${one}\n+++ second.yaml\n@@ -1,3 +1,2 @@\n-# first ✓\n`
    assert.ok(diff.stdout.startsWith(patch), diff.stdout)
    assert.match(diff.stdout, /^-versions: .*3001.*\n\+versions: .*3002.*\n stable: v1\n$/m)
    assert.equal(diff.code, 0)
    const same = await run('config', 'diff', 'first.yaml')
    assert.deepEqual([same.code, same.stdout], [0, ''])
    assert.deepEqual(JSON.parse((await run('config', 'diff', 'first.yaml', '--json')).stdout), { same: true, diff: '' })

    const json = JSON.parse((await run('config', 'put', 'second.yaml', '--json')).stdout)
    const two = json.revision
    assert.deepEqual(json, { is: 'written', revision: two })
    assert.ok(two > one)
    assert.deepEqual(JSON.parse((await run('config', 'put', 'second.yaml', '--json')).stdout), { is: 'unchanged', revision: two })

    const earlier = JSON.parse((await run('config', 'get', '--revision', String(one), '--json')).stdout)
    assert.deepEqual({ ...earlier, author: { ...earlier.author, at: 0 } }, { revision: one, text: first, author: { at: 0, by } })
    const since = await run('config', 'diff', '--revision', String(one))
    assert.ok(since.stdout.startsWith(`--- revision ${one}\n+++ revision ${two}\n`), since.stdout)
    const both = JSON.parse((await run('config', 'diff', '--revision', String(one), 'first.yaml', '--json')).stdout)
    assert.deepEqual(both, { same: true, diff: '' })

    const back = await run('config', 'rollback', String(one))
    const three = written(back.stdout)
    assert.deepEqual([back.code, back.stderr, three > two], [0, '', true])
    assert.equal((await run('config', 'get')).stdout, first)
    assert.equal((await run('config', 'rollback', String(one))).stdout, `nothing to do: revision ${three} says the same\n`)

    const listed = JSON.parse((await run('config', 'history', '--json')).stdout) as { revision: number; author: { by: string } }[]
    assert.deepEqual(
      listed.map(({ revision, author }) => [revision, author.by]),
      [three, two, one].map((revision) => [revision, by]),
    )
    const history = (await run('config', 'history')).stdout.split('\n')
    assert.match(history[0] ?? '', /^REVISION +WRITTEN +BY$/)
    assert.match(history[1] ?? '', new RegExp(`^${three} +\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z +${by}$`))
    assert.equal(history.length, 5)
  })

  test('put --expect-revision writes over that revision alone: a lost race tells both and the difference, exit 4', async () => {
    const { run, file } = etcd.fleet()
    for (const port of [3001, 3002, 3003]) file(`${port}.yaml`, document(port))
    const none = await run('config', 'put', '3001.yaml', '--expect-revision', '7')
    assert.deepEqual([none.code, none.stderr], [4, 'baton: refused: expected revision 7, and there is none; nothing written\n'])
    const one = written((await run('config', 'put', '3001.yaml', '--expect-revision', '0')).stdout)
    const two = written((await run('config', 'put', '3002.yaml', '--expect-revision', String(one))).stdout)
    const lost = await run('config', 'put', '3003.yaml', '--expect-revision', String(one))
    assert.equal(lost.code, 4)
    assert.match(
      lost.stderr,
      new RegExp(`^baton: refused: expected revision ${one}, and there is revision ${two} \\(${by}, \\d{4}-[^)]+Z\\); nothing written\n$`),
    )
    assert.match(lost.stdout, new RegExp(`^--- revision ${two}\n\\+\\+\\+ 3003\\.yaml\n@@ [^\n]+ @@\n-[^\n]*3002[^\n]*\n\\+[^\n]*3003`))
    const json = await run('config', 'rollback', String(one), '--expect-revision', '0', '--json')
    const { diff, ...rest } = JSON.parse(json.stdout)
    assert.deepEqual([json.code, json.stderr, rest], [4, '', { is: 'lost', expected: 0, found: two }])
    assert.ok(diff.startsWith(`--- revision ${two}\n+++ revision ${one}\n`), diff)
    assert.equal((await run('config', 'get')).stdout, document(3002))
    // Said twice it is done, and no race that was lost.
    const twice = await run('config', 'put', '3002.yaml', '--expect-revision', String(one))
    assert.deepEqual([twice.code, twice.stdout], [0, `nothing to do: revision ${two} says the same\n`])
  })

  test('of several put at once over one revision, one is written', async () => {
    const { run, file } = etcd.fleet()
    const names = [3001, 3002, 3003].map((port) => file(`${port}.yaml`, document(port)))
    const outcomes = await Promise.all(names.map((name) => run('config', 'put', name, '--expect-revision', '0')))
    assert.deepEqual(outcomes.map(({ code }) => code).sort(), [0, 4, 4])
    const winner = outcomes.findIndex(({ code }) => code === 0)
    assert.equal((await run('config', 'get')).stdout, document(3001 + winner))
  })

  test('names what others wrote as such', async () => {
    const { run, file, prefix } = etcd.fleet()
    await etcd.store.commit([], [{ is: 'put', key: configKeyOf(prefix), value: 'stable: nobody\n' }])
    assert.match((await run('config', 'history')).stdout, /^\d+ +- +not by baton$/m)
    file('new.yaml', document(3001))
    assert.match((await run('config', 'put', 'new.yaml', '--expect-revision', '1')).stderr, /there is revision \d+ \(not by baton\)/)
    assert.equal((await run('config', 'put', 'new.yaml')).code, 0)
  })

  test('put asks the limits of -c FILE where no instance lives, and those of the instances where some do', async () => {
    const { run, file, prefix } = etcd.fleet()
    file('far.yaml', 'versions: { v1: { url: "http://10.9.9.9:80" } }\nstable: v1\n')
    const alone = await run('config', 'put', 'far.yaml')
    assert.equal(alone.code, 4)
    assert.match(
      alone.stderr,
      /^baton: refused: [^\n]*--force[^\n]*nothing written\nfar\.yaml:1:24 versions\.v1\.url: found 10\.9\.9\.9,[^\n]* \[boot\.yaml\]\n$/,
    )
    const join = (id: string, allowUpstreams: string[]) =>
      etcd.store.commit(
        [],
        [{ is: 'put', key: instanceKeyOf(prefix, id), value: writeRecord({ ...record, id, limits: { ...limits, allowUpstreams } }) }],
      )
    for (let index = 0; index < 12; index += 1) await join(`strict-${String(index).padStart(2, '0')}`, ['loopback'])
    const all = await run('config', 'put', 'far.yaml')
    assert.equal(all.code, 4)
    assert.match(all.stderr, /\[strict-00, strict-01, [^\]]*, strict-09 and 2 more\]\n$/)
    await join('open', ['10.0.0.0/8'])
    const some = await run('config', 'put', 'far.yaml', '--json')
    const { is, misfits } = JSON.parse(some.stdout)
    assert.deepEqual([some.code, some.stderr, is, misfits.length], [4, '', 'refused', 1])
    assert.deepEqual([misfits[0].instances.length, misfits[0].fault.path, misfits[0].fault.reason], [12, 'versions.v1.url', 'cross-check'])
    assert.equal((await run('config', 'get')).code, 4)
    assert.equal((await run('config', 'put', 'far.yaml', '--force')).code, 0)
  })

  test('put says which instance it could not ask', async () => {
    const { run, file, prefix } = etcd.fleet()
    file('new.yaml', document(3001))
    await etcd.store.commit([], [{ is: 'put', key: instanceKeyOf(prefix, 'odd'), value: '{"v":2}' }])
    const put = await run('config', 'put', 'new.yaml')
    assert.equal(put.code, 0)
    assert.match(
      put.stderr,
      /^baton: \/test\/\d+\/instances\/odd is a record that this build does not understand; that instance was not asked\n$/,
    )
  })
})
