/** Which key to fetch for a name that a version of other names knows. Values are never moved to another name: Redis may not have it. */
import type { Name } from '../entry.ts'
import type { Rename } from './settings.ts'

export function renamed(name: Name, rules: readonly Rename[]): Name {
  const rule = rules.find(({ from }) => name.startsWith(from))
  return rule === undefined ? name : `${rule.to}${name.slice(rule.from.length)}`
}
