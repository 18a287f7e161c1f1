/** What is done to a cluster, and to the network before it, in the course of a run: all of it from one seed. Pure. */
import { Chance } from '../../../bench/verdict/chance.ts'
import type { Weather } from '../../kit/fault-proxy.ts'

export type Blow =
  /** `leader`: whoever it is when its turn comes, else the member of that number. */
  | { readonly is: 'restart'; readonly whom: number | 'leader'; readonly signal: 'SIGKILL' | 'SIGTERM'; readonly downMs: number }
  /** Stopped in its tracks, its connections open. */
  | { readonly is: 'freeze'; readonly whom: number | 'leader'; readonly forMs: number }
  /** Of everything up to now. */
  | { readonly is: 'compact' }
  /** `link`: to the member of that number. The blows that follow meet it. */
  | { readonly is: 'weather'; readonly client: number; readonly link: number | 'all'; readonly weather: Weather; readonly forMs: number }
  | { readonly is: 'reset'; readonly client: number }

export interface Schedule {
  readonly seed: number
  /** Before each put, in ms. */
  readonly gaps: readonly number[]
  readonly steps: readonly { readonly waitMs: number; readonly blow: Blow }[]
}

export interface Size {
  readonly puts: number
  readonly blows: number
  /** Of which the last is the writer. */
  readonly clients: number
  readonly members: number
}

export function scheduleOf(seed: number, { puts, blows, clients, members }: Size): Schedule {
  const chance = new Chance(seed)
  const below = (count: number): number => Math.floor(chance.next() * count)
  const ms = (low: number, high: number): number => Math.round(chance.between(low, high))
  const member = (): number | 'leader' => (chance.isSo(0.4) ? 'leader' : below(members))
  const weather = (): Weather => {
    if (chance.isSo(0.5)) return { is: chance.isSo(0.3) ? 'slow' : 'uneven', ms: ms(5, 200) }
    return { is: chance.isSo(0.7) ? 'black-hole' : 'refusing' }
  }
  const blow = (): Blow => {
    const draw = chance.next()
    if (draw < 0.1) return { is: 'restart', whom: member(), signal: chance.isSo(0.5) ? 'SIGKILL' : 'SIGTERM', downMs: ms(0, 500) }
    if (draw < 0.16) return { is: 'freeze', whom: member(), forMs: ms(200, 2_000) }
    if (draw < 0.4) return { is: 'compact' }
    if (draw < 0.55) return { is: 'reset', client: below(clients) }
    return {
      is: 'weather',
      client: below(clients),
      link: chance.isSo(0.4) ? 'all' : below(members),
      weather: weather(),
      forMs: ms(100, 2_500),
    }
  }
  return {
    seed,
    gaps: Array.from({ length: puts }, () => (chance.isSo(0.5) ? 0 : ms(0, 150))),
    steps: Array.from({ length: blows }, () => ({ waitMs: ms(0, 200), blow: blow() })),
  }
}
