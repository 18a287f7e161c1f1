/** Whether a configuration would be taken, asked of each instance's limits with the code that the instances use. */
import { parseDynamic } from '../config/parse.ts'
import type { Limits } from '../config/settings.ts'
import { ConfigError, type ConfigFault, formatConfigFault } from '../errors.ts'
import type { InstanceRecord } from './record.ts'

export interface Misfit {
  readonly instances: readonly string[]
  readonly fault: ConfigFault
}

/** Each fault once, with the instances that have it; empty if every instance would take it. */
export function misfitsOf(text: string, source: string, instances: readonly Pick<InstanceRecord, 'id' | 'limits'>[]): readonly Misfit[] {
  const byFault = new Map<string, { readonly fault: ConfigFault; readonly instances: string[] }>()
  // Most instances are alike, and a document may be long.
  const byLimits = new Map<string, readonly ConfigFault[]>()
  for (const { id, limits } of instances) {
    const like = JSON.stringify(limits)
    const faults = byLimits.get(like) ?? faultsUnder(limits, text, source)
    byLimits.set(like, faults)
    for (const fault of faults) {
      const words = formatConfigFault(fault)
      const known = byFault.get(words) ?? { fault, instances: [] }
      known.instances.push(id)
      byFault.set(words, known)
    }
  }
  return [...byFault.values()]
}

function faultsUnder(limits: Limits, text: string, source: string): readonly ConfigFault[] {
  try {
    parseDynamic(text, source, limits)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
