/** Versions that are bad in one way each, as `npm run bench:rollback` runs them. */

export interface BadVersion {
  readonly name: string
  /** What its program is told; test/rollback/program/app.ts says the words. */
  readonly env: Readonly<Record<string, string>>
  /** An answer that took longer is a bad one; null: only failures are. */
  readonly lateMs: number | null
  /** Nobody asks either version for anything. */
  readonly isIdle?: boolean
}

const reports = '/reports'

/** One request in ten is to a route of its own. */
export function pathOf(n: number): string {
  return n % 10 === 0 ? reports : '/'
}

export const badVersions: readonly BadVersion[] = [
  { name: 'errors, 100 %', env: { ERROR_SHARE: '1' }, lateMs: null },
  { name: 'errors, 30 %', env: { ERROR_SHARE: '0.3' }, lateMs: null },
  { name: 'errors, 2 %', env: { ERROR_SHARE: '0.02' }, lateMs: null },
  { name: 'errors, 0.25 %: just under the limit', env: { ERROR_SHARE: '0.0025' }, lateMs: null },
  { name: 'slower by 1 s', env: { SLOWER_MS: '1000' }, lateMs: 900 },
  { name: 'slower by 250 ms', env: { SLOWER_MS: '250' }, lateMs: 240 },
  { name: 'slower by 150 ms: under the limit', env: { SLOWER_MS: '150' }, lateMs: 140 },
  { name: 'crashes 2 s after its first request, again and again', env: { CRASH_AFTER_MS: '2000' }, lateMs: null },
  { name: 'hangs after 10 s', env: { HANG_AFTER_MS: '10000' }, lateMs: null },
  { name: 'hangs after 10 s, and its health says ready', env: { PART_HANG_AFTER_MS: '10000' }, lateMs: null },
  { name: 'never answers one route in ten', env: { STUCK: reports }, lateMs: null },
  { name: 'leaks connections: ends ever fewer of its first 500 answers, then gives none', env: { LEAK: '500' }, lateMs: null },
  { name: 'burns CPU with two threads, answers well', env: { BURN: '2' }, lateMs: null },
  { name: 'no traffic at all', env: {}, lateMs: null, isIdle: true },
]
