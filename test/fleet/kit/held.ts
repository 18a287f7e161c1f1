/** What an instance holds while etcd's key is written over and over. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { configKeyOf } from '../../../src/config/etcd/keys.ts'
import { realWorld } from '../../../src/world.ts'
import { startEtcd } from '../../kit/etcd.ts'
import { heldMiB } from '../../kit/heap.ts'
import { startTestApp } from '../../kit/test-app.ts'
import { until } from '../../kit/until.ts'
import { startInstance } from './instance.ts'
import { numberedFor } from './numbered.ts'

const prefix = '/shop'

/** In MiB: after each of `rounds` times `revisions`. @throws where fewer than nine in ten of them were swapped in. */
export async function heldWhile(rounds: number, revisions: number): Promise<readonly number[]> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'baton-held-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const etcd = stack.use(await startEtcd())
  const app = stack.use(await startTestApp('v1'))
  const store = new EtcdGateway({ endpoints: etcd.urls, login: null, tls: null }, realWorld)
  stack.defer(() => store.close())
  const write = async (n: number): Promise<number> => {
    const value = JSON.stringify(numberedFor(app.port, n))
    const { header } = await store.commit([], [{ is: 'put', key: configKeyOf(prefix), value }])
    return header.revision
  }
  await write(0)
  const instance = stack.use(await startInstance({ endpoints: etcd.urls, prefix, name: 'one', appPort: app.port, folder }))
  const held: number[] = []
  for (let round = 0; round < rounds; round++) {
    let last = 0
    for (let n = 1; n <= revisions; n++) last = await write(round * revisions + n)
    await until(
      () => instance.revision === last,
      () => `revision ${instance.revision} of ${last}`,
    )
    held.push(await heldMiB())
    // etcd's own memory is not what is measured
    await fetch(`${etcd.url}/v3/kv/compaction`, { method: 'POST', body: JSON.stringify({ revision: last }) })
  }
  // the watch may bring two at once, and then the first of them is passed over
  if (instance.swaps < rounds * revisions * 0.9) throw new Error(`${instance.swaps} of ${rounds * revisions} were swapped in`)
  return held
}
