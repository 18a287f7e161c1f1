/** The bench of changes: its figures, and one tiny run of all that it compares. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { type Row, renderEtcd, rowOf } from '../../bench/etcd/report.ts'
import type { LoadReport } from '../kit/load.ts'
import { needs } from '../kit/packages.ts'

const load: LoadReport = { answered: 10, connections: 2, wrong: ['503'], wrongCount: 1, errors: { ECONNRESET: [{ path: '/' }] } }

test('a row has the percentiles of all instances, and their failures by what went wrong', () => {
  const row = rowOf('nginx', 'a reload', 2, [5, 1, 3, 2], [load, load])
  assert.deepEqual(
    [row.instances, row.changes, row.maxMs, row.requests, row.failed, row.connections],
    [2, 2, 5, 20, { wrong: 2, ECONNRESET: 2 }, 4],
  )
  assert.match(renderEtcd([row], { date: 'd', machine: 'm', versions: 'v', notes: [] }), /\| nginx .* 2 wrong, 2 ECONNRESET \|/)
})

describe('the command', { skip: needs('etcd', 'nginx', 'haproxy') }, () => {
  test('one tiny run gives valid JSON: every change had its effect, and baton failed no request', async () => {
    const script = join(import.meta.dirname, '../../bench/etcd.ts')
    const argv = [script, '--processes', '1', '--planes', '1', '--puts', '3', '--changes', '3', '--json']
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
    const exit = new Promise((resolve) => child.once('close', resolve))
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    assert.equal(await exit, 0, err)
    const { rows } = JSON.parse(out) as { readonly rows: readonly Row[] }
    assert.deepEqual(
      rows.map(({ name, instances, changes }) => [name, instances, changes]),
      [['baton, etcd, a fleet', 2, 3], ...['baton, etcd', 'baton, file', 'nginx', 'haproxy'].map((name) => [name, 1, 3])],
    )
    assert.ok(rows.every(({ p50Ms, maxMs }) => p50Ms > 0 && maxMs >= p50Ms))
    for (const { name, failed } of rows) if (name.startsWith('baton')) assert.deepEqual(failed, {})
  })
})
