/** Configurations that differ by a number alone, and the first one of an instance, which its file holds. */
import { loaded } from '../../config/live-fixture.ts'

/** Number 0 is the file's. */
export function numbered(n: number): string {
  const route = { name: 'numbered', match: { path: { prefix: '/' } }, to: 'v1', set: { 'x-number': String(n) } }
  return JSON.stringify({ versions: { v1: { url: 'http://127.0.0.1:3001' } }, stable: 'v1', routes: [route] })
}

export function fileOf(endpoints: readonly string[], prefix: string) {
  const bootstrap = { config: { etcd: { endpoints, prefix } } }
  return loaded(JSON.stringify({ bootstrap, ...JSON.parse(numbered(0)) }))
}
