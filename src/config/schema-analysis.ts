/** The keys of `rollout.analysis`: the limits that a new version is judged by. What each limit means stands in `rollout/policy.ts`. */
import { z } from 'zod'
import { analysisDefaults as usual } from './analysis-defaults.ts'
import { formatDuration, formatPercent, maxFactor, readFactor } from './quantity.ts'
import { duration, durationOrOff, hour, leaf, second, share, shareOrOff, whole } from './schema-values.ts'

const factor = leaf(readFactor, { type: 'number', exclusiveMinimum: 0, maximum: maxFactor })
/** As far back as is counted. */
const window = duration(second, 5 * 60 * second)

const required = z
  .boolean()
  .prefault(true)
  .describe(
    'Its breach counts, and keeps the plan from advancing. One that cannot be known of a version leaves the required ones by itself.',
  )
const dryRun = z.boolean().prefault(false).describe('Judged and shown, never counted: to try a limit out.')

const errorRate = z
  .strictObject({
    required,
    dryRun,
    minRequests: whole(1, 1_000_000)
      .prefault(usual.errorRate.minRequests)
      .describe('Fewer in its window are inconclusive, for the hard stop too: of ten requests one error is chance.'),
    factor: factor
      .prefault(usual.errorRate.factor)
      .describe("A breach is more than this many times stable's rate, by more than chance in either explains; 3, since rates vary."),
    floor: share
      .prefault(formatPercent(usual.errorRate.floor))
      .describe("Taken for stable's rate where that is lower: three times nothing would be nothing."),
  })
  .prefault({})
  .describe('5xx and failures to answer, of the exchanges that ended.')

const latency = z
  .strictObject({
    required,
    dryRun,
    minRequests: whole(1, 1_000_000)
      .prefault(usual.latency.minRequests)
      .describe('Of either version; the p99 of fewer is that of one request.'),
    add: duration(1, hour)
      .prefault(formatDuration(usual.latency.addMs))
      .describe(
        "A breach is a p99 above stable's by more than this, and by more than chance explains; what people notice, and more than a cold start's.",
      ),
  })
  .prefault({})
  .describe("The p99 against stable's over the same time, or what stable's was before the upgrade once it has no traffic.")

const cpu = z
  .strictObject({
    required,
    dryRun,
    share: share
      .prefault(formatPercent(usual.cpu.share))
      .describe("Of its cgroup's limit, else of one core: above it requests begin to wait."),
    for: duration(second, 60 * second)
      .prefault(formatDuration(usual.cpu.forMs))
      .describe('The average over this time; longer than a garbage collection or a burst.'),
  })
  .prefault({})
  .describe('CPU of a managed process and its children. Not to be known of an app that baton has not started.')

const degrade = z
  .strictObject({
    for: duration(second, hour)
      .prefault(formatDuration(usual.degrade.forMs))
      .describe('Back at header-only this long, then the step again.'),
    max: whole(0, 100).prefault(usual.degrade.max).describe('So many times; the next is a rollback.'),
  })
  .prefault({})
  .describe('What level 2 does.')

const hardStops = z
  .strictObject({
    errorRate: shareOrOff
      .prefault(formatPercent(usual.hardStops.errorRate))
      .describe('No comparison is needed at this rate of errors; or off.'),
    notReady: durationOrOff(second, hour)
      .prefault(formatDuration(usual.hardStops.notReadyMs))
      .describe('Not ready for so long, several probes; or off. In warm and in stop-old too, where it freezes, and without analysis.'),
    exit: z.boolean().prefault(usual.hardStops.exit).describe('Its process ended by itself.'),
  })
  .prefault({})
  .describe('Each is enough for a rollback alone, during the grace too.')

export const analysis = z
  .strictObject({
    enabled: z.boolean().prefault(usual.enabled).describe('false: judged and shown, nothing done by itself.'),
    candidateWindow: window
      .prefault(formatDuration(usual.windows.candidateMs))
      .describe('What the new version is judged by: its last minute.'),
    stableWindow: window
      .prefault(formatDuration(usual.windows.stableMs))
      .describe("What stable's error rate is taken from; longer, so that a burst of its own does not excuse the new one."),
    grace: duration(0, hour)
      .prefault(formatDuration(usual.graceMs))
      .describe('After a step begins signals are inconclusive: connections, code and caches are cold.'),
    errorRate,
    latency,
    cpu,
    degrade,
    escalate: duration(second, 24 * hour)
      .prefault(formatDuration(usual.escalateMs))
      .describe('A breach that lasts so long acts one level higher, and again after each such time.'),
    hardStops,
    onNoData: z
      .enum(['wait', 'promote', 'rollback'])
      .prefault(usual.onNoData)
      .describe('A step with traffic whose time is over, and not one exchange ended. wait, since nothing seen is not a success.'),
  })
  .prefault({})
  .describe('Judges the new version by its errors, latency and CPU, and takes it back: alert (L3), degrade (L2), rollback (L1).')

export type AnalysisDocument = z.output<typeof analysis>
