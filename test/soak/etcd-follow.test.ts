/**
 * The storm of `test/fleet/follow.system.test.ts` from other seeds: ROUNDS of them (20), from SEED on; without it from one of chance. The seed
 * of each is in the name of its test.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { scheduleOf } from '../fleet/kit/schedule.ts'
import { runStorm } from '../fleet/kit/storm.ts'
import { type Etcd, startEtcdCluster } from '../kit/etcd.ts'
import { needs } from '../kit/packages.ts'
import { record } from './record.ts'

const rounds = Number(process.env.ROUNDS ?? 20)
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const instances = 8
const size = { puts: 150, blows: 60, clients: instances + 1, members: 3 }

describe('instances that follow etcd through faults', { skip: needs('etcd') }, () => {
  const total = { committed: 0, applied: 0 }
  let etcd: Etcd

  before(async () => {
    etcd = await startEtcdCluster(3)
  })

  after(async () => {
    await etcd[Symbol.asyncDispose]()
    record('Following etcd through faults', {
      seeds: `${first} to ${first + rounds - 1}`,
      'instances of each round': instances,
      'restarts, frozen members, compactions, partitions, resets': rounds * size.blows,
      'configurations committed': total.committed,
      'configurations applied, all instances together': total.applied,
    })
  })

  for (let seed = first; seed < first + rounds; seed++)
    test(`seed ${seed}`, async () => {
      const schedule = scheduleOf(seed, size)
      const { complaints, committed, applied } = await runStorm(etcd, `/seed-${seed}`, schedule, instances)
      assert.deepEqual(complaints, [], JSON.stringify(schedule))
      total.committed += committed
      total.applied += applied
    })
})
