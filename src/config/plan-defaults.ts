/** What a plan is where little is said of it; the reasons stand at the keys in `schema.ts`. */

export const defaultPlan = 'default'

/** As a user would write them. */
export const defaultSteps = ['header-only', 10, 50, 100, 'bake'] as const

export const readyTimeoutMs = 30_000
export const retireAfterMs = 0

export const stepConditions = { minRequests: 0, manual: false } as const

/** Of a step, by its kind. */
export const stepForMs = { 'header-only': 0, weight: 30_000, bake: 30_000 } as const
