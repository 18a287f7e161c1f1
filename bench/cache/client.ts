/** A client of Redis or of a gateway, as an app has one: ioredis with its own settings. */
import { Redis } from 'ioredis'
import { quantile } from '../upgrade/stretch.ts'
import { isOf } from './values.ts'

export type Place = { readonly host: string; readonly port: number } | { readonly path: string }

/** Resolves when it is connected. */
export async function connectClient(place: Place): Promise<Redis & AsyncDisposable> {
  const client = new Redis({ ...place, lazyConnect: true })
  await client.connect()
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      client.disconnect()
    },
  })
}

export interface Times {
  readonly count: number
  readonly seconds: number
  readonly p50Micros: number
  readonly p99Micros: number
  readonly maxMicros: number
}

export function timesOf(micros: readonly number[], seconds: number): Times {
  const sorted = [...micros].sort((a, b) => a - b)
  return {
    count: sorted.length,
    seconds,
    p50Micros: quantile(sorted, 0.5),
    p99Micros: quantile(sorted, 0.99),
    maxMicros: sorted.at(-1) ?? Number.NaN,
  }
}

/** Names one after another, each when the last one was answered. @throws at a value that is not the name's own */
export async function readOneByOne(
  client: Redis,
  next: () => string,
  until: (count: number, elapsedMs: number) => boolean,
): Promise<Times> {
  const micros: number[] = []
  const beganAt = performance.now()
  let now = beganAt
  while (!until(micros.length, now - beganAt)) {
    const name = next()
    const value = await client.get(name)
    const answeredAt = performance.now()
    if (!isOf(name, value)) throw new Error(`${name} is ${value?.slice(0, 40)}`)
    micros.push((answeredAt - now) * 1_000)
    now = answeredAt
  }
  return timesOf(micros, (now - beganAt) / 1_000)
}
