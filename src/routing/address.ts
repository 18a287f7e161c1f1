/**
 * Sets of addresses, from CIDR blocks (RFC 4632, RFC 4291 section 2.3). The families stay apart: an IPv4-mapped IPv6 address is IPv4, which is
 * how a dual-stack listener names an IPv4 client, so 10.0.0.0/8 holds ::ffff:10.0.0.1, and ::/0 holds no IPv4 address.
 */
import { mappedIpv4, parseIpv4, parseIpv6 } from './ip.ts'

export interface AddressSet {
  /** False for what is no IP address. A zone (`fe80::1%eth0`) is left aside. */
  has(address: string): boolean
}

interface Ipv4Block {
  readonly base: number
  readonly mask: number
}

interface Ipv6Block {
  readonly base: Uint16Array
  readonly bits: number
}

type Block = { readonly is: 'ipv4'; readonly block: Ipv4Block } | { readonly is: 'ipv6'; readonly block: Ipv6Block }

/** Throws a RangeError if a block has a fault; see `cidrFault`. A block without `/` is one address; bits beyond the prefix are ignored. */
export function addressSet(blocks: readonly string[]): AddressSet {
  const ipv4: Ipv4Block[] = []
  const ipv6: Ipv6Block[] = []
  for (const text of blocks) {
    const parsed = parseBlock(text)
    if (typeof parsed === 'string') throw new RangeError(`${JSON.stringify(text)}: ${parsed}`)
    if (parsed.is === 'ipv4') ipv4.push(parsed.block)
    else ipv6.push(parsed.block)
  }
  const groups = new Uint16Array(8)
  return {
    has(address) {
      const number = parseIpv4(address, 0, address.length)
      if (number !== -1) return hasIpv4(ipv4, number)
      const zone = address.indexOf('%')
      if (!parseIpv6(address, 0, zone === -1 ? address.length : zone, groups)) return false
      const mapped = mappedIpv4(groups)
      return mapped === -1 ? hasIpv6(ipv6, groups) : hasIpv4(ipv4, mapped)
    },
  }
}

/** What is wrong with a CIDR block, in words; null if nothing is. */
export function cidrFault(text: string): string | null {
  const parsed = parseBlock(text)
  return typeof parsed === 'string' ? parsed : null
}

/** The block, or its fault. */
function parseBlock(text: string): Block | string {
  const slash = text.indexOf('/')
  const end = slash === -1 ? text.length : slash
  const number = parseIpv4(text, 0, end)
  const groups = new Uint16Array(8)
  if (number === -1 && !parseIpv6(text, 0, end, groups)) return 'not an IPv4 or IPv6 address'
  const width = number === -1 ? 128 : 32
  const bits = slash === -1 ? width : prefixLength(text.slice(slash + 1), width)
  if (bits === -1) return `the prefix length is not a whole number from 0 to ${width}`
  if (number !== -1) return ipv4Block(number, bits)
  const mapped = mappedIpv4(groups)
  return mapped !== -1 && bits >= 96 ? ipv4Block(mapped, bits - 96) : { is: 'ipv6', block: { base: groups, bits } }
}

function prefixLength(text: string, width: number): number {
  return /^(0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= width ? Number(text) : -1
}

function ipv4Block(address: number, bits: number): Block {
  // A shift by 32 is a shift by 0.
  const mask = bits === 0 ? 0 : -1 << (32 - bits)
  return { is: 'ipv4', block: { base: address & mask, mask } }
}

function hasIpv4(blocks: readonly Ipv4Block[], address: number): boolean {
  for (const block of blocks) if ((address & block.mask) === block.base) return true
  return false
}

function hasIpv6(blocks: readonly Ipv6Block[], groups: Uint16Array): boolean {
  for (const block of blocks) if (sharesPrefix(block.base, groups, block.bits)) return true
  return false
}

function sharesPrefix(base: Uint16Array, groups: Uint16Array, bits: number): boolean {
  for (let index = 0, left = bits; left > 0; index++, left -= 16) {
    const difference = (base[index] ?? 0) ^ (groups[index] ?? 0)
    if (difference >>> Math.max(0, 16 - left) !== 0) return false
  }
  return true
}
