/** `-c FILE`, which several commands take. */
import { BatonError } from '../errors.ts'

export const configOption = { config: { type: 'string', short: 'c' } } as const

export function configFile(value: string | undefined, call: string): string {
  if (value === undefined || value === '') throw new BatonError('usage', `-c FILE is missing; ${call}`)
  return value
}
