import { Misread } from '../config/misread.ts'
import { readDuration as read } from '../config/quantity.ts'
import { BatonError } from '../errors.ts'

/** A span of time as an option gives it, in ms. @throws BatonError `usage` */
export function readDuration(option: string, value: string): number {
  const ms = read(value, { min: 0, max: 24 * 3_600_000 })
  if (ms instanceof Misread) throw new BatonError('usage', `${option}: found "${value}", expected ${ms.expected}`)
  return ms
}
