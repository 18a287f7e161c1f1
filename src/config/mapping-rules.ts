/** Rules over the keys of one mapping, for the schema. */
import { Misread } from './misread.ts'

export function envFault(env: Record<string, string>): Misread | null {
  const odd = Object.keys(env).find((key) => key === '' || /[=\0]/.test(key))
  if (odd !== undefined) return new Misread('names of variables without "=" and NUL', null, 'range', JSON.stringify(odd))
  return 'PORT' in env ? new Misread('no PORT', 'baton sets PORT from the key port', 'range', 'PORT') : null
}

export function repeatedHeader(given: Record<string, unknown>): Misread | null {
  const names = Object.keys(given).map((key) => key.toLowerCase())
  const again = names.find((key, index) => names.indexOf(key) !== index)
  return again === undefined ? null : new Misread('each header once', 'case does not matter in header names', 'range', `${again} twice`)
}

export function probeFault(health: { http?: unknown; tcp?: unknown }): Misread | null {
  return health.http !== undefined && health.tcp !== undefined ? new Misread('http or tcp', 'leave one out', 'range', 'http and tcp') : null
}

/** What baton has started it also stops. */
export function retireFault(version: { process?: unknown; retire?: unknown }): Misread | null {
  if (version.process === undefined || version.retire === undefined) return null
  return new Misread('no retire beside process', 'a process of baton is stopped by baton', 'range', 'process and retire')
}

export function planFault(plan: { strategy?: unknown; steps?: unknown }): Misread | null {
  if (plan.strategy !== 'exclusive' || plan.steps === undefined) return null
  return new Misread('no steps beside strategy: exclusive', 'the two versions never serve at once', 'range', 'steps')
}

export function stickyFault(sticky: { cookie?: unknown; or?: unknown }): Misread | null {
  if (sticky.cookie !== undefined || sticky.or !== undefined) return null
  return new Misread('cookie, or, or both', 'for a header alone write or: { header: x-user-id }', 'range', 'neither')
}

/** Both keys, or neither. */
export function bothFault(given: Readonly<Record<string, unknown>>, one: string, other: string): Misread | null {
  const alone = [one, other].filter((key) => given[key] !== undefined)
  return alone.length === 1 ? new Misread(`${one} and ${other} together`, null, 'range', `${alone[0]} alone`) : null
}
