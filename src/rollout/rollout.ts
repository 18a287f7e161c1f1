/** The rollout in one piece: ledger, conductor, orders, and what they say of a configuration. */
import type { Dynamic } from '../config/settings.ts'
import { errorMessage } from '../errors.ts'
import type { Roles, VersionName } from '../routing/route.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Wishes } from '../upstream/versions.ts'
import type { World } from '../world.ts'
import { Conductor } from './conductor.ts'
import { type Control, type Holding, rolloutControl } from './control.ts'
import type { FileJournal } from './file-journal.ts'
import { firstLedger } from './first-ledger.ts'
import { type Led, ledBy } from './led.ts'
import { LedgerKeeper } from './ledger-keeper.ts'
import { orderIn, rolesFor, vetoFor, wishesFor } from './overlay.ts'
import type { Upgrade } from './upgrade.ts'
import type { Verdict } from './verdict.ts'
import type { VersionControl } from './version-control.ts'
import { VersionOrders } from './version-orders.ts'
import type { Warmed } from './warmed.ts'

export interface RolloutParts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
  readonly journal: FileJournal
  readonly versions: VersionControl
  /** The configuration that the generation begins with. */
  readonly first: Dynamic
  /** The running one. */
  dynamic(): Dynamic
  /** Roles have changed: lay them over the running snapshot. */
  route(): void
  /** Fills a version's cache before it serves; resolves at once where there is none. */
  warm(to: VersionName, from: VersionName): Promise<Warmed>
  /** Without a keeper no app can be started. */
  keeperLost(): boolean
  /** Where requests can be made to wait. */
  holding(): Holding
}

export class Rollout {
  readonly control: Control
  /** For a fleet. */
  readonly led: Led
  readonly #log: Log
  readonly #versions: VersionControl
  readonly #keeper: LedgerKeeper
  readonly #conductor: Conductor

  constructor(parts: RolloutParts) {
    const { log, journal, first, holding, versions } = parts
    const { ledger, warning } = firstLedger(journal.read(), first)
    if (warning !== null) log.warn('rollout.ledger', { warning })
    const keeper = new LedgerKeeper(ledger, journal)
    const orders = new VersionOrders({ ...parts, keeper })
    this.#log = log
    this.#versions = versions
    this.#keeper = keeper
    this.#conductor = new Conductor({
      ...parts,
      keeper,
      orders,
      keepReceipt: (receipt) => journal.keepReceipt(receipt),
      hold: () => holding().hold(),
      release: () => holding().release(),
    })
    this.control = rolloutControl({ conductor: this.#conductor, orders, keeper, journal, holding })
    this.led = ledBy(this.#conductor, keeper)
  }

  /** The one under way, or the last one. */
  get upgrade(): Upgrade | null {
    return this.#keeper.ledger.upgrade
  }

  /** The last verdict of its analysis. */
  get verdict(): Verdict | null {
    return this.#conductor.verdict
  }

  rolesFor(dynamic: Dynamic): Roles {
    return rolesFor(this.#keeper.ledger, dynamic)
  }

  wishesFor(dynamic: Dynamic): Wishes {
    return wishesFor(this.#keeper.ledger, dynamic)
  }

  vetoFor(next: Dynamic): ReturnType<typeof vetoFor> {
    return vetoFor(this.#keeper.ledger, next)
  }

  /** A configuration was swapped in: an edit of `stable` is an order, and the ledger's from now on. */
  follow(dynamic: Dynamic): void {
    const keeper = this.#keeper
    if (orderIn(keeper.ledger, dynamic) === null) return
    this.#versions.undrain(dynamic.stable)
    const written = keeper.inTurn(() => keeper.write(orderIn(keeper.ledger, dynamic) ?? {}))
    written.catch((error: unknown) => this.#log.error('rollout.failed', { reason: errorMessage(error) }))
  }

  /** Goes on with what the journal says is under way; resolves when requests may come. */
  start(): Promise<void> {
    return this.#conductor.recover()
  }

  stop(): Promise<void> {
    return this.#conductor.stop()
  }
}
