/** Where things stand in etcd. */
export const configKeyOf = (prefix: string): string => `${prefix}/config`
/** Who wrote the configuration, and when; written in one transaction with it. */
export const authorKeyOf = (prefix: string): string => `${prefix}/author`
export const historyPrefixOf = (prefix: string): string => `${prefix}/history/`
/** The configuration that was written at `revision`, once another has taken its place. In order as text, too. */
export const historyKeyOf = (prefix: string, revision: number): string => `${historyPrefixOf(prefix)}${String(revision).padStart(16, '0')}`
export const instancesPrefixOf = (prefix: string): string => `${prefix}/instances/`
export const instanceKeyOf = (prefix: string, instance: string): string => `${instancesPrefixOf(prefix)}${instance}`

/** A key as faults and status name it. */
export const nameOf = (key: string): string => `etcd:${key}`
