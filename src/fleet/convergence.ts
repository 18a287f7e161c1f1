/** Who has taken a revision of the configuration, who has refused it, and who has not said yet. */
import type { InstanceRecord } from './record.ts'
import type { Roster } from './roster.ts'

export interface Convergence {
  readonly taken: readonly string[]
  readonly refused: readonly { readonly id: string; readonly faults: readonly string[] }[]
  /** Those whose record this build does not understand are among them, by their key. */
  readonly pending: readonly string[]
}

export function convergenceOn(revision: number, { instances, unknown, header }: Roster): Convergence {
  // One past the store's own is of before the store was restored from a backup.
  const isSince = (told: number) => told >= revision && told <= header.revision
  const isTaken = (instance: InstanceRecord) => isSince(instance.revision)
  const isRefused = (instance: InstanceRecord) => !isTaken(instance) && isSince(instance.refused?.revision ?? 0)
  const pending = instances.filter((instance) => !isTaken(instance) && !isRefused(instance)).map(({ id }) => id)
  return {
    taken: instances.filter(isTaken).map(({ id }) => id),
    refused: instances.filter(isRefused).map(({ id, refused }) => ({ id, faults: refused?.faults ?? [] })),
    pending: [...pending, ...unknown],
  }
}
