/** A service as the verdict sees it: how the requests of each second fare, in stable and in the new version. */
import type { Chance } from './chance.ts'

/** Of the requests of one second at one version. */
export interface Weather {
  /** Probability that one fails. */
  readonly errors: number
  /** Added to each, in ms. */
  readonly addMs: number
  /** What the usual duration is multiplied by. */
  readonly slower: number
  /** Probability of taking a second more. */
  readonly stuck: number
  /** Share of its CPU's limit. */
  readonly cpu: number
}

export const calm: Weather = { errors: 0, addMs: 0, slower: 1, stuck: 0, cpu: 0.4 }

export interface Service {
  readonly name: string
  /** What both versions suffer alike in each second of a history. */
  both(chance: Chance): () => Weather
  /** What the new version adds of its own. */
  readonly own: Partial<Pick<Weather, 'errors' | 'addMs'>>
}

/** Durations of a usual service: median 20 ms, p99 near 80 ms. */
export function durationMs(weather: Weather, chance: Chance): number {
  const usual = 20 * Math.exp(0.6 * chance.normal()) * weather.slower
  return usual + weather.addMs + (chance.isSo(weather.stuck) ? 1_000 : 0)
}

function steady(weather: Partial<Weather>): Service['both'] {
  return () => () => ({ ...calm, ...weather })
}

/** On average once a minute, for one to five seconds, something that both need fails a tenth of them and is slow. */
function bursts(chance: Chance) {
  let left = 0
  return () => {
    if (left === 0 && chance.isSo(1 / 60)) left = 1 + Math.floor(chance.between(0, 5))
    if (left === 0) return { ...calm, errors: 0.0005 }
    left -= 1
    return { ...calm, errors: 0.1, addMs: 300 }
  }
}

/** Every ten seconds the machine is busy anew: everything takes one to five times as long, and the CPU is used to between 40 and 100 %. */
function busy(chance: Chance) {
  let second = 0
  let now = calm
  return () => {
    if (second % 10 === 0) now = { ...calm, errors: 0.0005, slower: chance.between(1, 5), cpu: chance.between(0.4, 1) }
    second += 1
    return now
  }
}

export const goodServices: readonly Service[] = [
  { name: 'no errors', both: steady({}), own: {} },
  { name: 'both at 0.1 % errors', both: steady({ errors: 0.001 }), own: {} },
  { name: 'both at 1 % errors', both: steady({ errors: 0.01 }), own: {} },
  { name: 'bursts that hit both', both: bursts, own: {} },
  { name: 'a busy machine', both: busy, own: {} },
  { name: 'both stuck for 1 s in 1 % of requests', both: steady({ stuck: 0.01 }), own: {} },
]

const usual = steady({ errors: 0.0005 })

export const badServices: readonly Service[] = [
  ...[0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1].map((errors) => ({ name: `errors +${errors * 100} %`, both: usual, own: { errors } })),
  ...[50, 100, 150, 250, 500, 1_000].map((addMs) => ({ name: `latency +${addMs} ms`, both: usual, own: { addMs } })),
]

export const rates: readonly number[] = [0.1, 1, 10, 100, 500]
