/** An app's answer, as strictly as it is meant: what is odd is a fault of the app, and leads to a resync. */
import { BatonError } from '../../errors.ts'
import { type Answer, isCount, isRecord, limits, type WireBytes } from './wire.ts'

/** @throws BatonError `refused` */
export function answerOf(text: string): Answer {
  const { v, instance, epoch, seq, fence, want, hit, resync } = recordOf(text)
  if (v !== 1 || typeof instance !== 'string' || instance === '' || instance.length > 128) throw odd('no instance')
  if (!isCount(epoch) || !isCount(seq) || !isCount(fence)) throw odd('no epoch, seq and fence')
  if (resync === undefined) return { v, instance, epoch, seq, fence, want: namesOf(want), hit: namesOf(hit) }
  if (typeof resync !== 'string' || seq !== 0) throw odd('a resync without a reason or with a seq')
  return { v, instance, epoch, seq, fence, resync }
}

function recordOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new BatonError('refused', 'the app answered what is no JSON', error)
  }
  if (!isRecord(value)) throw odd('not an object')
  return value
}

function namesOf(value: unknown): readonly WireBytes[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > limits.names) throw odd('names that are no list of 256')
  for (const name of value) {
    if (typeof name !== 'string' && !(isRecord(name) && typeof name.base64 === 'string')) throw odd('a name that is none')
  }
  return value
}

function odd(what: string): BatonError {
  return new BatonError('refused', `the app's answer is odd: ${what}`)
}
