import type { Name } from '../../entry.ts'

/** Where names of keys to warm come from. */
export interface NameSource {
  /** For people and for metrics' labels: `scan`. */
  readonly is: string
  /**
   * Those that should be there first come first; in pieces, so that no more is asked for than can be read. Each call begins anew.
   * @throws when the session is lost, or BatonError where it cannot name any
   */
  names(): AsyncIterable<readonly Name[]>
}
