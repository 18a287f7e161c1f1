/** From the analysis as it is written to the settings that the verdict takes. */
import type { AnalysisDocument } from './schema-analysis.ts'
import type { AnalysisSettings } from './settings.ts'

export function settleAnalysis(document: AnalysisDocument): AnalysisSettings {
  const { enabled, candidateWindow, stableWindow, grace, errorRate, latency, cpu, degrade, escalate, hardStops, onNoData } = document
  const { add, ...restOfLatency } = latency
  const { for: forMs, ...restOfCpu } = cpu
  return {
    enabled,
    windows: { candidateMs: candidateWindow, stableMs: stableWindow },
    graceMs: grace,
    errorRate,
    latency: { ...restOfLatency, addMs: add },
    cpu: { ...restOfCpu, forMs },
    degrade: { forMs: degrade.for, max: degrade.max },
    escalateMs: escalate,
    hardStops: { errorRate: hardStops.errorRate, notReadyMs: hardStops.notReady, exit: hardStops.exit },
    onNoData,
  }
}
