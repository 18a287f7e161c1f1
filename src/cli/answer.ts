/** What an answer of the admin API holds: it may come from another version of baton, or from no baton. */
import { isMapping } from '../config/mapping.ts'
import { BatonError } from '../errors.ts'

/** Undefined where there is none. */
export function part(answer: unknown, key: string): unknown {
  return isMapping(answer) ? answer[key] : undefined
}

export function hasAll(answer: unknown, keys: readonly string[]): boolean {
  return isMapping(answer) && keys.every((key) => key in answer)
}

export function notUnderstood(what: string): BatonError {
  return new BatonError('unreachable', `what answers there gives no ${what} that this command understands; is it another version of baton?`)
}
