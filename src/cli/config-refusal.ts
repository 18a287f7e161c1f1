/** Why a configuration was not written, for people and as JSON. */
import { type ExitCode, exitCode, formatConfigFault } from '../errors.ts'
import type { Written } from '../fleet/config-log.ts'
import type { Misfit } from '../fleet/fits.ts'
import { authorText } from './revision.ts'
import type { Terminal } from './terminal.ts'
import { textDiff } from './text-diff.ts'

/** So many instances are named of those that have a fault. */
const namedInstances = 10

/** Instances would refuse it. */
export function tellMisfits(misfits: readonly Misfit[], json: boolean, { print, complain }: Terminal): ExitCode {
  if (json) print(`${JSON.stringify({ is: 'refused', misfits })}\n`)
  else complain(`baton: refused: it does not fit, and --force was not given; nothing written\n${misfits.map(misfitLine).join('')}`)
  return exitCode.refused
}

function misfitLine({ fault, instances }: Misfit): string {
  const more = instances.length - namedInstances
  return `${formatConfigFault(fault)} [${instances.slice(0, namedInstances).join(', ')}${more > 0 ? ` and ${more} more` : ''}]\n`
}

/** Somebody else was first. */
export function tellLost(
  { expected, theirs }: Extract<Written, { is: 'lost' }>,
  ours: { readonly text: string; readonly source: string },
  json: boolean,
  { print, complain }: Terminal,
): ExitCode {
  const name = theirs === null ? 'nothing' : `revision ${theirs.revision}`
  const diff = textDiff({ name, text: theirs?.text ?? '' }, { name: ours.source, text: ours.text })
  if (json) print(`${JSON.stringify({ is: 'lost', expected, found: theirs?.revision ?? 0, diff })}\n`)
  else {
    const found = theirs === null ? 'there is none' : `there is revision ${theirs.revision} (${authorText(theirs.author)})`
    complain(`baton: refused: expected ${expected === 0 ? 'no configuration' : `revision ${expected}`}, and ${found}; nothing written\n`)
    print(diff)
  }
  return exitCode.refused
}
