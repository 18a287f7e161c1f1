/** `baton upgrade --fleet --wait`: the command outlives an etcd that goes away, as the upgrade does. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { moveUpgrade, readUpgrade } from '../../src/fleet/upgrade-log.ts'
import { back, shared, upgradeId } from '../fleet/upgrade-fixture.ts'
import { batonPath, nodePath } from '../kit/baton.ts'
import { needs } from '../kit/packages.ts'
import { until } from '../kit/until.ts'
import { type SharedEtcd, type SharedFleet, shareEtcd } from './shared-etcd.ts'

describe('baton upgrade --fleet --wait', { skip: needs('etcd') }, () => {
  let etcd: SharedEtcd
  before(async () => {
    etcd = await shareEtcd()
  })
  after(() => etcd.close())

  const goBack = async ({ prefix }: SharedFleet): Promise<void> => {
    const { revision } = await readUpgrade(etcd.store, prefix)
    assert.ok(await moveUpgrade(etcd.store, prefix, shared({ goal: back }), revision))
  }

  test('looks on when etcd is back, and tells how it ended', async () => {
    const fleet = etcd.fleet()
    assert.ok(await moveUpgrade(etcd.store, fleet.prefix, shared(), 0))
    const child = spawn(nodePath, [batonPath, 'upgrade', '--fleet', '--to', 'v2', '--wait', '-c', 'boot.yaml'], { cwd: fleet.folder })
    const [exit, complaints] = [once(child, 'exit'), text(child.stderr)]
    let shown = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      shown += chunk
    })
    await until(
      () => shown.includes(`${upgradeId}  v1 → v2  step 2 of 4`),
      () => shown,
    )
    await etcd.member.stop('SIGKILL')
    // some of its looks lie in between
    await sleep(1_500)
    await etcd.member.start()
    await goBack(fleet)
    assert.deepEqual([await exit, await complaints], [[3, null], ''], shown)
    assert.match(shown, /goes back, demanded by i9/)
  })
})
