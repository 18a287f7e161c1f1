/** Looking up query parameters by name in a target, as HTML forms write them (WHATWG URL, application/x-www-form-urlencoded). */
import { decodeForm, isEncoded } from './percent.ts'
import type { ValueTest } from './text.ts'

const equals = 61

/** Whether any parameter of that name has a value that passes; in order, up to the first. `?a` is `a` with an empty value. */
export function anyParameter(target: string, name: string, test: ValueTest): boolean {
  const question = target.indexOf('?')
  if (question === -1) return false
  for (let start = question + 1; start < target.length; ) {
    const found = target.indexOf('&', start)
    const end = found === -1 ? target.length : found
    if (start < end && pairHolds(target, start, end, name, test)) return true
    start = end + 1
  }
  return false
}

function pairHolds(target: string, start: number, end: number, name: string, test: ValueTest): boolean {
  let nameEnd = start
  while (nameEnd < end && target.charCodeAt(nameEnd) !== equals) nameEnd++
  if (!isNamed(target, start, nameEnd, name)) return false
  const from = Math.min(nameEnd + 1, end)
  if (!isEncoded(target, from, end)) return test.holds(target, from, end)
  const value = decodeForm(target, from, end)
  return test.holds(value, 0, value.length)
}

function isNamed(target: string, from: number, to: number, name: string): boolean {
  if (isEncoded(target, from, to)) return decodeForm(target, from, to) === name
  return to - from === name.length && target.startsWith(name, from)
}
