/** Who has taken a revision of the configuration, who has refused it, and who has not said yet. */
import type { InstanceRecord } from './record.ts'

export interface Convergence {
  readonly taken: readonly string[]
  readonly refused: readonly { readonly id: string; readonly faults: readonly string[] }[]
  readonly pending: readonly string[]
}

export function convergenceOn(revision: number, instances: readonly InstanceRecord[]): Convergence {
  const isTaken = (instance: InstanceRecord) => instance.revision >= revision
  const isRefused = (instance: InstanceRecord) => !isTaken(instance) && (instance.refused?.revision ?? 0) >= revision
  return {
    taken: instances.filter(isTaken).map(({ id }) => id),
    refused: instances.filter(isRefused).map(({ id, refused }) => ({ id, faults: refused?.faults ?? [] })),
    pending: instances.filter((instance) => !isTaken(instance) && !isRefused(instance)).map(({ id }) => id),
  }
}
