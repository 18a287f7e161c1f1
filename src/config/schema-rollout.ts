/** The keys of `rollout`: how an upgrade moves traffic. */
import { z } from 'zod'
import { planFault } from './mapping-rules.ts'
import { defaultPlan, defaultSteps, readyTimeoutMs, retireAfterMs, stepConditions, stepForMs } from './plan-defaults.ts'
import { formatDuration, readStepWeight } from './quantity.ts'
import { analysis } from './schema-analysis.ts'
import { duration, exactlyOne, hour, leaf, name, named, rule, whole } from './schema-values.ts'

const stepWeight = leaf(readStepWeight, { type: 'number', exclusiveMinimum: 0, maximum: 100 })
const only = z.literal(true).optional()

export const step = z.union([
  z.enum(['header-only', 'bake']),
  stepWeight,
  exactlyOne(
    z.strictObject({
      weight: stepWeight.optional().describe('Percent of what would go to stable, fractions too; a user who has moved stays moved.'),
      headerOnly: only.describe('Routes alone reach the candidate: for testers.'),
      bake: only.describe('The last step: all traffic on the candidate, the old version alive and warm. Its end is the commit.'),
      for: duration(0, 168 * hour)
        .optional()
        .describe(
          `${formatDuration(stepForMs.weight)}, several of a probe's intervals; of header-only ${formatDuration(stepForMs['header-only'])}.`,
        ),
      minRequests: whole(0, 1_000_000_000)
        .prefault(stepConditions.minRequests)
        .describe('Exchanges that the candidate has to have ended within the step; 0, so that a service without traffic can be upgraded.'),
      manual: z
        .boolean()
        .prefault(stepConditions.manual)
        .describe('Only `baton promote` ends the step; false, since a plan that waits for nobody is done at night too.'),
    }),
    ['weight', 'headerOnly', 'bake'],
  ),
])

export const plan = rule(
  z.strictObject({
    strategy: z
      .enum(['shift', 'exclusive'])
      .prefault('shift')
      .describe('exclusive: the two versions never serve at once, and requests are held meanwhile. shift, since only it holds nobody up.'),
    steps: z
      .array(step)
      .min(1)
      .max(100)
      .optional()
      .describe(
        `header-only, weights that grow, bake: each a word, a weight, or a mapping. Without it ${defaultSteps.join(', ')}: testers, a few users, half, all, and a last look back.`,
      ),
    readyTimeout: duration(1, 24 * hour)
      .prefault(formatDuration(readyTimeoutMs))
      .describe("The new version has to be ready within this time of its start, else rollback; kamal-proxy's deploy timeout."),
    retireAfter: duration(0, 168 * hour)
      .prefault(formatDuration(retireAfterMs))
      .describe('The old version lives on this long, drained, as a warm spare to roll back to; 0s, since it costs its memory.'),
  }),
  planFault,
)

export const rollout = z
  .strictObject({
    plan: name.prefault(defaultPlan).describe('The plan of an upgrade that names none.'),
    plans: named(plan, 32)
      .prefault({})
      .describe('By name. Always there unless redefined: default; at-once, all traffic, no wait; manual, each step by `baton promote`.'),
    analysis,
  })
  .prefault({})
  .describe('How an upgrade moves traffic from stable to another version.')
