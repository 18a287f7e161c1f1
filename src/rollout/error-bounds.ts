/** How far chance alone may have moved a rate of errors. */
import type { Traffic } from './measurements.ts'

/**
 * In standard errors, on each side. Small, since a breach has to last to be acted on, and a larger one lets bad versions pass where traffic is
 * thin (docs/decisions/0016).
 */
const standardErrors = 0.5

/**
 * Wilson's score interval: E. B. Wilson, “Probable inference, the law of succession, and statistical inference”, Journal of the American
 * Statistical Association 22 (1927), 209–212. Sound for few requests, and where none failed. There has to be one request.
 */
export function errorBounds({ requests, errors }: Pick<Traffic, 'requests' | 'errors'>): { readonly low: number; readonly high: number } {
  const rate = errors / requests
  const square = standardErrors ** 2 / requests
  const middle = rate + square / 2
  const reach = Math.sqrt(square * (rate * (1 - rate) + square / 4))
  return { low: (middle - reach) / (1 + square), high: (middle + reach) / (1 + square) }
}
