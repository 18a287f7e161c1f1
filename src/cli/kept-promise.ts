/** Whether an upgrade that is done kept its promise: its receipt counts what baton could not answer. */
import { type ExitCode, exitCode } from '../errors.ts'
import { pause } from '../world.ts'
import { part } from './answer.ts'
import type { Context } from './command.ts'

/** The receipt is written right after the end; where a generation died in between, it never is. */
const looks = 20
const lookMs = 100

/**
 * `done`, or `failed` with a line that says what broke. What a drain cut had outlived its limits, and is only told.
 * `explain` asks for all of the upgrade, with patience: the generation that ended it may be away.
 */
export async function keptPromise(id: string, explain: () => Promise<unknown>, { print, world }: Context): Promise<ExitCode> {
  let found = await explain()
  for (let look = 1; look < looks && figure(found, 'failed') === null; look += 1) {
    await pause(world, lookMs)
    found = await explain()
  }
  const cut = figure(found, 'cut') ?? 0
  // what was cut is among those that failed
  const failed = Math.max(0, (figure(found, 'failed') ?? 0) - cut)
  if (cut > 0) print(`${cut} cut at the end of their time; "baton explain ${id}" has the receipt\n`)
  if (failed === 0) return exitCode.done
  print(`done, but ${failed} failed meanwhile; "baton explain ${id}" has the receipt\n`)
  return exitCode.failed
}

/** Null: not counted, or not yet. */
function figure(found: unknown, name: 'cut' | 'failed'): number | null {
  const value = part(part(found, 'receipt'), name)
  return typeof value === 'number' ? value : null
}
