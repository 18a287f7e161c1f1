/** What became of an order. */
import type { Upgrade } from './upgrade.ts'

export type OrderOutcome =
  /** `upgrade`: the one under way, or the last one. */
  | { readonly is: 'accepted' | 'unchanged'; readonly upgrade: Upgrade | null }
  /** Nothing was changed. */
  | { readonly is: 'refused'; readonly reason: string }
  /** Of a version or a plan that is not configured. */
  | { readonly is: 'unknown'; readonly what: string }

export const noUpgrade: OrderOutcome = { is: 'refused', reason: 'no upgrade is under way' }

export function underWay({ id, from, to }: Upgrade): OrderOutcome {
  return { is: 'refused', reason: `upgrade ${id} from ${from} to ${to} is under way` }
}
