/** A good upgrade in bad weather: both versions err for one in a hundred, and the load comes in bursts. */
import { type RollbackRun, startRun } from './rollback-run.ts'

/**
 * The limits of the default policy, over steps that are short. Errors `by chance` can make of two versions alike two that differ, once in a
 * while: what is counted over a hundred runs. Else they are evenly spread.
 */
export function startNoisyRun(errors: 'evenly' | 'by chance'): Promise<RollbackRun> {
  const errs = { ERROR_SHARE: '0.01', ...(errors === 'by chance' ? { RANDOM: '1' } : {}) }
  return startRun({
    v1: errs,
    v2: errs,
    // for a fifth of each second ten times as many
    rate: (afterMs) => (afterMs % 1_000 < 200 ? 500 : 50),
    analysis: { grace: '500ms' },
    steps: [
      { weight: 10, for: '1s' },
      { weight: 50, for: '1s' },
      { bake: true, for: '1s' },
    ],
  })
}
