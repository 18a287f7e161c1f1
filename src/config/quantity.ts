/** Durations, sizes and shares as people write them: `200ms`, `64KiB`, `20%`. A bare number has no unit, and is refused where one is needed. */
import { Misread, type Reading } from './misread.ts'

const msOf = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const
const bytesOf = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const
type DurationUnit = keyof typeof msOf
type SizeUnit = keyof typeof bytesOf

const durationForm = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)$/
const sizeForm = /^(\d{1,16}(?:\.\d{1,6})?)(B|KiB|MiB|GiB)$/
const percentForm = /^(\d{1,3}(?:\.\d{1,6})?)%$/

export interface Range {
  readonly min: number
  readonly max: number
}

/** A duration in whole ms within `range`. */
export function readDuration(value: unknown, range: Range): Reading<number> {
  const expected = `a duration from ${formatDuration(range.min)} to ${formatDuration(range.max)}`
  const parts = typeof value === 'string' ? durationForm.exec(value) : null
  if (!parts) return new Misread(expected, durationHint(value), 'kind')
  const ms = Number(parts[1]) * msOf[parts[2] as DurationUnit]
  const rounded = Math.round(ms)
  if (Math.abs(ms - rounded) > 1e-6) return new Misread(expected, 'the smallest unit is 1ms')
  return within(rounded, range) ? rounded : new Misread(expected)
}

function durationHint(value: unknown): string {
  const digits = typeof value === 'number' ? String(value) : typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? value : null
  return digits === null ? 'write it with a unit: 200ms, 5s, 10m or 1h' : `give it a unit: ${digits}ms or ${digits}s`
}

/** The shortest exact text: `1h`, `90s`, `1500ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  const unit = (['h', 'm', 's'] as const).find((candidate) => ms % msOf[candidate] === 0) ?? 'ms'
  return `${ms / msOf[unit]}${unit}`
}

/** A size in whole bytes within `range`; a bare whole number is bytes. */
export function readSize(value: unknown, range: Range): Reading<number> {
  const expected = `a size from ${formatSize(range.min)} to ${formatSize(range.max)}`
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return new Misread(expected, 'bytes are whole numbers')
    return within(value, range) ? value : new Misread(expected)
  }
  const parts = typeof value === 'string' ? sizeForm.exec(value) : null
  if (!parts) return new Misread(expected, sizeHint(value), 'kind')
  const bytes = Number(parts[1]) * bytesOf[parts[2] as SizeUnit]
  if (!Number.isSafeInteger(bytes)) return new Misread(expected, 'bytes are whole numbers')
  return within(bytes, range) ? bytes : new Misread(expected)
}

function sizeHint(value: unknown): string {
  const loose = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?([kmg])i?b?$/i.exec(value) : null
  const unit = loose && { k: 'KiB', m: 'MiB', g: 'GiB' }[(loose[2] ?? '').toLowerCase()]
  return unit ? `write ${loose?.[1]}${unit}` : 'write 64KiB, 1MiB, or a whole number of bytes'
}

/** The shortest exact text: `1MiB`, `1500B`. */
export function formatSize(bytes: number): string {
  const unit = bytes === 0 ? 'B' : ((['GiB', 'MiB', 'KiB'] as const).find((candidate) => bytes % bytesOf[candidate] === 0) ?? 'B')
  return `${bytes / bytesOf[unit]}${unit}`
}

/** `20%` → 0.2; from 0 % to 100 %. */
export function readPercent(value: unknown): Reading<number> {
  const expected = 'a percentage from 0% to 100%'
  const parts = typeof value === 'string' ? percentForm.exec(value) : null
  if (!parts) return new Misread(expected, percentHint(value), 'kind')
  const share = Number(parts[1]) / 100
  return share <= 1 ? share : new Misread(expected)
}

/** The shortest exact text: `20%`, `0.1%`. */
export function formatPercent(share: number): string {
  return `${Number((share * 100).toFixed(6))}%`
}

function percentHint(value: unknown): string {
  if (typeof value !== 'number') return 'write it as 20%'
  return `write ${value > 0 && value < 1 ? Number((value * 100).toFixed(4)) : value}%`
}

/** `off` is 0; everything else is `reading`. */
export function readOrOff(value: unknown, reading: Reading<number>): Reading<number> {
  if (value === 'off') return 0
  return reading instanceof Misread ? new Misread(`${reading.expected}, or off`, reading.hint, reading.kind) : reading
}

export const maxWeight = 1_000_000

/** Of a split. 0 is refused: a target without traffic is left out. */
export function readWeight(value: unknown): Reading<number> {
  const expected = `a weight above 0 and up to ${maxWeight}`
  if (typeof value !== 'number') return new Misread(expected, typeof value === 'string' ? 'a number, without quotes and "%"' : null, 'kind')
  return value > 0 && value <= maxWeight ? value : new Misread(expected, value === 0 ? 'leave a target without traffic out' : null)
}

/** Of a plan's step: percent of stable's traffic. */
export function readStepWeight(value: unknown): Reading<number> {
  const expected = 'a weight above 0 and up to 100'
  if (typeof value !== 'number')
    return new Misread(expected, typeof value === 'string' ? 'a percentage as a number, without quotes and "%"' : null, 'kind')
  return value > 0 && value <= 100 ? value : new Misread(expected, value === 0 ? 'write header-only' : null)
}

export const maxFactor = 1_000

/** How many times more: a number. */
export function readFactor(value: unknown): Reading<number> {
  const expected = `a factor above 0 and up to ${maxFactor}`
  if (typeof value !== 'number') return new Misread(expected, null, 'kind')
  return value > 0 && value <= maxFactor ? value : new Misread(expected)
}

/** Of a sample: a share as a number, `0.01`. */
export function readSample(value: unknown): Reading<number> {
  const expected = 'a share above 0 and up to 1, such as 0.01'
  if (typeof value !== 'number') return new Misread(expected, null, 'kind')
  return value > 0 && value <= 1 ? value : new Misread(expected)
}

function within(value: number, range: Range): boolean {
  return value >= range.min && value <= range.max
}
