/** Until every instance that lives has taken a revision, or has refused it. */
import { instancesPrefixOf } from '../config/etcd/keys.ts'
import type { Store } from '../config/etcd/store.ts'
import { BatonError, type ExitCode, errorMessage, exitCode } from '../errors.ts'
import { type Convergence, convergenceOn } from '../fleet/convergence.ts'
import { type Roster, readRoster } from '../fleet/roster.ts'
import { pause, type World } from '../world.ts'
import type { Context } from './command.ts'
import { isUnreachable, patiently } from './patiently.ts'

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

/** @throws BatonError `unreachable` once etcd has not answered for long. */
export async function waitForFleet(awaited: Awaited, context: Context): Promise<ExitCode> {
  const { revision, timeoutMs, json, outcome } = awaited
  const { world, print, isScreen } = context
  const until = world.elapsed() + timeoutMs
  const show = json ? () => undefined : progressLines(context)
  for (;;) {
    const roster = await look(awaited, until - world.elapsed(), world)
    const state = convergenceOn(revision, roster)
    show(state)
    if (state.pending.length === 0 || world.elapsed() >= until) {
      if (json) print(`${JSON.stringify({ is: outcome, revision, ...state })}\n`)
      else print(`${isScreen ? '\n' : ''}${ending(state, timeoutMs)}`)
      return state.pending.length > 0 || state.refused.length > 0 ? exitCode.unfinished : exitCode.done
    }
    await changeOr(Math.min(lookMs, until - world.elapsed()), awaited, roster.header.revision + 1, world)
  }
}

async function look({ store, prefix, revision }: Awaited, limitMs: number, world: World): Promise<Roster> {
  try {
    return await patiently(() => readRoster(store, prefix), world, limitMs)
  } catch (error) {
    if (!isUnreachable(error)) throw error
    // The write stands, whatever becomes of the waiting.
    throw new BatonError('unreachable', `who has taken revision ${revision} is not known: ${errorMessage(error)}`, error)
  }
}

/** At the next change of an instance, or after `ms`. */
async function changeOr(ms: number, { store, prefix }: Awaited, from: number, world: World): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const watch = store.watch({ prefix: instancesPrefixOf(prefix) }, from, { changed: () => resolve(), ended: () => undefined })
  await Promise.race([promise, pause(world, ms)])
  watch.close()
}

/** Drawn over on a screen, else a line each time that it has changed. */
function progressLines({ print, isScreen }: Context): (state: Convergence) => void {
  let told = ''
  return (state) => {
    const line = progress(state)
    if (line !== told) print(isScreen ? `\r\u001b[K${line}` : `${line}\n`)
    told = line
  }
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
