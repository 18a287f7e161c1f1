/** What is in Redis while the cache is measured: names that redis-benchmark can make too, and values of 1 KB that say whose they are. */
import type { Redis } from 'ioredis'

export const prefix = 'item:'
export const valueBytes = 1_024
const atOnce = 1_000

/** As redis-benchmark writes `item:__rand_int__`. */
export function nameOf(n: number): string {
  return `${prefix}${String(n).padStart(12, '0')}`
}

export function valueFor(name: string): string {
  return `${name} `.padEnd(valueBytes, 'abcdefghij')
}

/** Looked at with each read that is timed. */
export function isOf(name: string, value: string | null): boolean {
  return value?.startsWith(name) === true
}

export async function fillRedis(redis: Redis, count: number): Promise<void> {
  for (let from = 0; from < count; from += atOnce) {
    const pipeline = redis.pipeline()
    for (let n = from; n < Math.min(count, from + atOnce); n += 1) pipeline.set(nameOf(n), valueFor(nameOf(n)))
    await pipeline.exec()
  }
}

/** Before anything is timed. @throws with the first value that is not Redis's own */
export async function checkValues(client: Redis, count: number, what: string): Promise<void> {
  const step = Math.max(1, Math.floor(count / 200))
  for (let n = 0; n < count; n += step) {
    const found = await client.get(nameOf(n))
    if (found !== valueFor(nameOf(n))) throw new Error(`${what}: ${nameOf(n)} is ${found?.slice(0, 40)}…`)
  }
}
