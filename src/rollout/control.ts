/** The orders of an operator, as the admin API gives them. */
import type { Conductor } from './conductor.ts'
import type { Journal, JournalEntry, UpgradeSummary } from './journal.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'
import type { OrderOutcome } from './order-outcome.ts'
import { type Receipt, receiptOf, unmeasured } from './receipt.ts'
import type { Order } from './upgrade.ts'
import type { VersionOrders } from './version-orders.ts'

/** Requests can be made to wait. */
export interface Holding {
  readonly held: boolean
  hold(): void
  release(): void
}

export interface Control {
  begin(to: string, plan: string | null): Promise<OrderOutcome>
  order(order: Exclude<Order, 'promote'>): Promise<OrderOutcome>
  /** `step`: the one that is meant, counted from 0; null: whichever it is. */
  promote(step: number | null): Promise<OrderOutcome>
  stable(name: string): Promise<OrderOutcome>
  drain(name: string, force: boolean): Promise<OrderOutcome>
  undrain(name: string): Promise<OrderOutcome>
  retire(name: string, force: boolean): Promise<OrderOutcome>
  hold(): Promise<OrderOutcome>
  release(): Promise<OrderOutcome>
  history(): Promise<readonly UpgradeSummary[]>
  explain(id: string): Promise<{ readonly receipt: Receipt | null; readonly entries: readonly JournalEntry[] } | null>
}

export interface JournalReader extends Pick<Journal, 'history' | 'entries'> {
  /** The receipt that was kept when the upgrade ended; null if there is none. */
  receipt(id: string): Promise<Receipt | null>
}

export interface Commanded {
  readonly conductor: Conductor
  readonly orders: VersionOrders
  readonly keeper: LedgerKeeper
  readonly journal: JournalReader
  holding(): Holding
}

export function rolloutControl({ conductor, orders, keeper, journal, holding }: Commanded): Control {
  /** One instance does not walk ahead of the others; to go back is for any to demand. */
  const unlessLed = async (act: () => Promise<OrderOutcome>): Promise<OrderOutcome> => {
    const { running } = keeper
    if (running?.led !== true) return await act()
    return { is: 'refused', reason: `upgrade ${running.id} is the fleet's: add --fleet -c FILE` }
  }
  const held = async (wanted: boolean, act: () => void): Promise<OrderOutcome> => {
    const { running } = keeper
    const { upgrade } = keeper.ledger
    if (running !== null) return { is: 'refused', reason: `upgrade ${running.id} is under way` }
    if (holding().held === wanted) return { is: 'unchanged', upgrade }
    act()
    return { is: 'accepted', upgrade }
  }
  return {
    begin: (to, plan) => conductor.begin(to, plan),
    order: (order) => {
      const give = () => conductor.order(order, 'operator')
      return order === 'rollback' ? give() : unlessLed(give)
    },
    promote: (step) => unlessLed(() => conductor.promote(step, 'operator')),
    stable: (name) => orders.stable(name),
    drain: (name, force) => orders.drain(name, force),
    undrain: (name) => orders.undrain(name),
    retire: (name, force) => orders.retire(name, force),
    hold: () => held(true, () => holding().hold()),
    release: () => held(false, () => holding().release()),
    history: () => journal.history(),
    async explain(id) {
      const entries = await journal.entries(id)
      if (entries.length === 0) return null
      return { receipt: (await journal.receipt(id)) ?? receiptOf(entries, unmeasured), entries }
    },
  }
}
