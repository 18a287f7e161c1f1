/** Until every instance that lives has taken a revision, or has refused it. */
import { instancesPrefixOf } from '../config/etcd/keys.ts'
import type { Store } from '../config/etcd/store.ts'
import { exitCode } from '../errors.ts'
import { type Convergence, convergenceOn } from '../fleet/convergence.ts'
import { readRoster } from '../fleet/roster.ts'
import { pause, type World } from '../world.ts'
import type { Context } from './command.ts'

export interface Awaited {
  readonly store: Pick<Store, 'list' | 'watch'>
  readonly prefix: string
  readonly revision: number
  readonly timeoutMs: number
  readonly json: boolean
  /** What became of the write, for the JSON. */
  readonly outcome: 'written' | 'unchanged'
}

/** The roster is read again this often, whatever the watch says. */
const lookMs = 1_000

export async function waitForFleet(awaited: Awaited, { world, print, isScreen }: Context): Promise<number> {
  const { revision, timeoutMs, json, outcome } = awaited
  const began = world.elapsed()
  let told = ''
  for await (const state of looks(awaited, world)) {
    const line = progress(state)
    if (!json && line !== told) print(isScreen ? `\r\u001b[K${line}` : `${line}\n`)
    told = line
    const isLate = world.elapsed() - began >= timeoutMs
    if (state.pending.length > 0 && !isLate) continue
    if (json) print(`${JSON.stringify({ is: outcome, revision, ...state })}\n`)
    else print(`${isScreen ? '\n' : ''}${ending(state, timeoutMs)}`)
    return state.pending.length > 0 || state.refused.length > 0 ? exitCode.unfinished : exitCode.done
  }
  return exitCode.unfinished
}

/** The state of the fleet, anew at each change. */
async function* looks({ store, prefix, revision }: Awaited, world: World): AsyncGenerator<Convergence> {
  for (;;) {
    const { instances, header } = await readRoster(store, prefix)
    yield convergenceOn(revision, instances)
    await changeOr(lookMs, store, prefix, header.revision + 1, world)
  }
}

async function changeOr(ms: number, store: Pick<Store, 'watch'>, prefix: string, from: number, world: World): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const watch = store.watch({ prefix: instancesPrefixOf(prefix) }, from, { changed: () => resolve(), ended: () => undefined })
  await Promise.race([promise, pause(world, ms)])
  watch.close()
}

function progress({ taken, refused, pending }: Convergence): string {
  const all = taken.length + refused.length + pending.length
  const refusing = refused.length === 0 ? '' : `, refused by ${refused.length}`
  const waiting = pending.length === 0 ? '' : `, waiting for ${pending.slice(0, 3).join(', ')}${pending.length > 3 ? ' and others' : ''}`
  return `taken by ${taken.length} of ${all}${refusing}${waiting}`
}

function ending({ refused, pending }: Convergence, timeoutMs: number): string {
  const refusals = refused.flatMap(({ id, faults }) => [`${id} refused it:`, ...faults.map((fault) => `  ${fault}`)])
  const silent = pending.map((id) => `${id} has not taken it within ${timeoutMs / 1_000} s`)
  return [...refusals, ...silent].map((line) => `${line}\n`).join('')
}
