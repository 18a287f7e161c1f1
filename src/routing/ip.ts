/** Reading IP addresses from text, without allocation. */
import { hexDigit } from './percent.ts'

const dot = 46
const colon = 58

/** The address in [from, to) as an unsigned 32-bit number; -1 if it is none. Four decimal octets without leading zeros, nothing else. */
export function parseIpv4(text: string, from: number, to: number): number {
  let address = 0
  let dots = 0
  let octet = -1
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === dot) {
      if (octet === -1 || ++dots > 3) return -1
      address = address * 256 + octet
      octet = -1
      continue
    }
    // A leading zero: octal for some readers, decimal for others.
    if (code < 48 || code > 57 || octet === 0) return -1
    octet = octet === -1 ? code - 48 : octet * 10 + code - 48
    if (octet > 255) return -1
  }
  return dots === 3 && octet !== -1 ? address * 256 + octet : -1
}

/** Writes the eight groups of the address in [from, to) to `groups`; false if it is none (RFC 4291 section 2.2). No brackets, no zone. */
export function parseIpv6(text: string, from: number, to: number, groups: Uint16Array): boolean {
  let count = 0
  let gap = -1
  let at = from
  if (text.startsWith('::', from)) {
    gap = 0
    at += 2
  }
  while (at < to) {
    const end = groupEnd(text, at, to)
    const added = end === to ? lastGroups(text, at, to, count, groups) : oneGroup(text, at, end, count, groups)
    if (added === 0) return false
    count += added
    if (end === to) return spread(groups, count, gap)
    at = end + 1
    if (at === to) return false
    if (text.charCodeAt(at) === colon) {
      if (gap !== -1) return false
      gap = count
      at++
    }
  }
  return at === to && spread(groups, count, gap)
}

function groupEnd(text: string, from: number, to: number): number {
  while (from < to && text.charCodeAt(from) !== colon) from++
  return from
}

/** How many groups were written; 0 for what is none. */
function oneGroup(text: string, from: number, to: number, count: number, groups: Uint16Array): number {
  if (to === from || to - from > 4) return 0
  let group = 0
  for (let at = from; at < to; at++) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit === -1) return 0
    group = group * 16 + digit
  }
  groups[count] = group
  return 1
}

/** The last group may be two, written as an IPv4 address: ::ffff:10.0.0.1 */
function lastGroups(text: string, from: number, to: number, count: number, groups: Uint16Array): number {
  const address = parseIpv4(text, from, to)
  if (address === -1) return oneGroup(text, from, to, count, groups)
  groups[count] = address >>> 16
  groups[count + 1] = address & 0xffff
  return 2
}

/** Puts the zeros of `::` in their place. Too many groups fail here: a write past the eighth goes nowhere. */
function spread(groups: Uint16Array, count: number, gap: number): boolean {
  if (gap === -1) return count === 8
  if (count > 7) return false
  groups.copyWithin(8 - (count - gap), gap, count)
  groups.fill(0, gap, 8 - (count - gap))
  return true
}

/** The IPv4 address that an IPv4-mapped IPv6 address holds (RFC 4291 section 2.5.5.2), unsigned; -1 if it is no such address. */
export function mappedIpv4(groups: Uint16Array): number {
  for (let index = 0; index < 5; index++) if (groups[index] !== 0) return -1
  return groups[5] === 0xffff ? (groups[6] ?? 0) * 0x10000 + (groups[7] ?? 0) : -1
}
