import { formatConfigFault } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { PutOutcome } from './file-source.ts'

/** What the log says of a configuration that was offered. */
export function logOutcome(log: Log, outcome: PutOutcome): void {
  if (outcome.is === 'refused') log.error('config.rejected', { faults: outcome.faults.map(formatConfigFault) })
  if (outcome.is !== 'applied' && outcome.is !== 'unchanged') return
  const { revision, hash, roles } = outcome.snapshot
  const { stable, candidate } = roles
  if (outcome.is === 'applied') log.info('config.applied', { revision, hash: hash.slice(0, 12), stable, candidate })
  const changed = outcome.needsGeneration
  if (changed.length > 0) log.warn('config.needs_new_generation', { changed, hint: 'restart baton to apply these' })
}
