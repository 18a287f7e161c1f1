/** What every exchange shares: the running snapshot, the versions, and who counts. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Version } from '../upstream/version.ts'
import type { World } from '../world.ts'
import type { AccessLog } from './access-log.ts'
import type { Gate } from './gate.ts'
import type { RetryBudget } from './retry-budget.ts'

/** The versions, as an exchange sees them. */
export interface VersionDirectory {
  get(name: string): Version | undefined
  servingCount(): number
  supervised(name: string): { suspect(): void } | undefined
}

export interface Plane {
  readonly world: World
  readonly live: { current(): Snapshot }
  readonly versions: VersionDirectory
  readonly gate: Gate
  readonly budget: RetryBudget
  readonly metrics: Metrics
  readonly accessLog: AccessLog
  /** True from SIGTERM on: each response says that its connection ends. */
  readonly leaving: () => boolean
}
