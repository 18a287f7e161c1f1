/** Where things stand in etcd. */
export const configKeyOf = (prefix: string): string => `${prefix}/config`
/** Who wrote the configuration, and when; written in one transaction with it. */
export const authorKeyOf = (prefix: string): string => `${prefix}/author`

export const historyPrefixOf = (prefix: string): string => `${prefix}/history/`
/** The configuration that was written at `revision`, kept once another takes its place. */
export const historyKeyOf = (prefix: string, revision: number): string => `${historyPrefixOf(prefix)}${digits(revision)}`
export const authorsPrefixOf = (prefix: string): string => `${prefix}/authors/`
export const pastAuthorKeyOf = (prefix: string, revision: number): string => `${authorsPrefixOf(prefix)}${digits(revision)}`

export const instancesPrefixOf = (prefix: string): string => `${prefix}/instances/`
export const instanceKeyOf = (prefix: string, instance: string): string => `${instancesPrefixOf(prefix)}${instance}`

export const upgradeKeyOf = (prefix: string): string => `${prefix}/upgrade`

/** A key as faults and status name it. */
export const nameOf = (key: string): string => `etcd:${key}`

/** Null for a key that ends with none. */
export function revisionIn(key: string): number | null {
  const digits = /\/(\d{16})$/.exec(key)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** In order as text, too. */
function digits(revision: number): string {
  return String(revision).padStart(16, '0')
}
