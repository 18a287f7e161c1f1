/** What the analysis of an upgrade is where nothing is said of it; the reasons stand at the keys in `schema-analysis.ts`. */
import type { AnalysisSettings } from './settings.ts'

export const analysisDefaults = {
  enabled: true,
  windows: { candidateMs: 60_000, stableMs: 300_000 },
  graceMs: 5_000,
  errorRate: { required: true, dryRun: false, minRequests: 20, factor: 3, floor: 0.001 },
  latency: { required: true, dryRun: false, minRequests: 100, addMs: 200 },
  cpu: { required: true, dryRun: false, share: 0.9, forMs: 15_000 },
  degrade: { forMs: 30_000, max: 2 },
  escalateMs: 60_000,
  hardStops: { errorRate: 0.2, notReadyMs: 10_000, exit: true },
  onNoData: 'wait',
} as const satisfies AnalysisSettings
