/** An instance's own upgrade where none is begun; one that is led to one is a defect of the test. */
import type { OwnUpgrade } from '../../../src/fleet/follower.ts'

const unasked = (): Promise<never> => Promise.reject(new Error('no upgrade is led here'))

export const noUpgrade: OwnUpgrade = {
  standing: () => ({ upgrade: null, stable: 'v1', configuredStable: 'v1', evidence: null }),
  join: unasked,
  promote: unasked,
  rollBack: unasked,
}
