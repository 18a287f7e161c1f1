/** Configurations that differ by a number alone, and the first one of an instance, which its file holds. */
import { loaded } from '../../config/live-fixture.ts'

/** What the app at `port` is told as `x-number`. Number 0 is the file's. */
export function numberedFor(port: number, n: number): Readonly<Record<string, unknown>> {
  const route = { name: 'numbered', match: { path: { prefix: '/' } }, to: 'v1', set: { 'x-number': String(n) } }
  const health = { tcp: true, successThreshold: 1 }
  return { versions: { v1: { url: `http://127.0.0.1:${port}` } }, stable: 'v1', health, routes: [route] }
}

/** For who never asks the app. */
export function numbered(n: number): string {
  return JSON.stringify(numberedFor(3001, n))
}

export function fileOf(endpoints: readonly string[], prefix: string, instance = 'one', appPort = 3001) {
  const bootstrap = { config: { etcd: { endpoints, prefix, instance } } }
  return loaded(JSON.stringify({ bootstrap, ...numberedFor(appPort, 0) }))
}
