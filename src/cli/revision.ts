/** Revisions as commands take and show them. */
import { BatonError } from '../errors.ts'
import type { Author, ConfigLog, Revision } from '../fleet/config-log.ts'

/** @throws BatonError `usage` */
export function readRevision(option: string, value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new BatonError('usage', `${option}: found "${value}", expected a revision, such as 42`)
  return Number(value)
}

/** Null where the option was not given. @throws BatonError `usage` */
export function readRevisionOption(option: string, value: string | undefined): number | null {
  return value === undefined ? null : readRevision(option, value)
}

/** Null is the present one. @throws BatonError `refused` where there is none. */
export async function revisionAt(log: ConfigLog, revision: number | null): Promise<Revision> {
  const found = revision === null ? await log.current() : await log.at(revision)
  if (found !== null) return found
  throw new BatonError(
    'refused',
    revision === null
      ? 'there is no configuration in etcd yet: baton config put FILE writes one'
      : `revision ${revision} is not kept; "baton config history" lists those that are`,
  )
}

export function authorText(author: Author | null): string {
  return author === null ? 'not by baton' : `${author.by}, ${new Date(author.at).toISOString()}`
}
