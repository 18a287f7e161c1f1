/**
 * Puts, restarts, leader loss, frozen members, compactions, partitions and resets, drawn from a seed: every instance ends at the last
 * configuration that was committed, and what it applied on the way is a subsequence of what was. `npm run soak` draws more seeds.
 * A seed fixes what is done and when it is begun, not how the processes take it: a failure may need more than one run of its seed.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Etcd, startEtcdCluster } from '../kit/etcd.ts'
import { needs } from '../kit/packages.ts'
import { scheduleOf } from './kit/schedule.ts'
import { runStorm } from './kit/storm.ts'

const instances = 5
const size = { puts: 60, blows: 30, clients: instances + 1, members: 3 }

describe('instances that follow etcd through faults', { skip: needs('etcd') }, () => {
  let etcd: Etcd

  before(async () => {
    etcd = await startEtcdCluster(3)
  })

  after(() => etcd[Symbol.asyncDispose]())

  for (const seed of [1, 2, 3])
    test(`seed ${seed}`, async () => {
      const schedule = scheduleOf(seed, size)
      const { complaints, committed } = await runStorm(etcd, `/seed-${seed}`, schedule, instances)
      assert.deepEqual(complaints, [], JSON.stringify(schedule))
      assert.equal(committed, size.puts)
    })
})
