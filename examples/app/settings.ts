/** What the environment says: PORT or SOCKET, HOST, APP_VERSION, START_DELAY_MS, REDIS_URL, CACHE. */
import type { ListenOptions } from 'node:net'

export interface Settings {
  readonly version: string
  readonly host: string
  readonly listen: ListenOptions
  /** For people: `127.0.0.1:3001` or the socket's path. */
  readonly place: string
  /** /healthz answers 503 until this long after the start. */
  readonly startDelayMs: number
  /** Null: there is no catalogue. */
  readonly redisUrl: string | null
  /** The app has a cache of its own, which baton writes. */
  readonly isPushedTo: boolean
}

/** Throws an Error of one line when a value cannot be used. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const host = env.HOST ?? '127.0.0.1'
  const socket = env.SOCKET
  const version = env.APP_VERSION ?? 'v1'
  const startDelayMs = numberFrom(env, 'START_DELAY_MS', 0, 3_600_000)
  const redisUrl = env.REDIS_URL === undefined || env.REDIS_URL === '' ? null : env.REDIS_URL
  const cache = env.CACHE ?? ''
  if (cache !== '' && cache !== 'push') throw new Error(`CACHE: found "${cache}", expected push or nothing`)
  const others = { version, host, startDelayMs, redisUrl, isPushedTo: cache === 'push' }
  if (socket !== undefined && socket !== '') return { ...others, listen: { path: socket }, place: socket }
  const port = numberFrom(env, 'PORT', 3000, 65_535)
  return { ...others, listen: { host, port }, place: `${host}:${port}` }
}

function numberFrom(env: NodeJS.ProcessEnv, name: string, fallback: number, max: number): number {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= max) return value
  throw new Error(`${name}: found "${text}", expected a whole number up to ${max}`)
}
