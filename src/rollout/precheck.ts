/** What has to hold before anything is done: of a whole upgrade, and of an exclusive one once more before its old version is stopped. */
import type { Dynamic } from '../config/settings.ts'
import type { VersionName } from '../routing/route.ts'
import type { VersionControl } from './version-control.ts'

export interface Prechecked {
  readonly versions: Pick<VersionControl, 'pid'>
  dynamic(): Pick<Dynamic, 'versions'>
  keeperLost(): boolean
}

/** Why this version cannot be brought up; null if it can. */
export function precheckFault(name: VersionName, { dynamic, versions, keeperLost }: Prechecked): string | null {
  const version = Object.hasOwn(dynamic().versions, name) ? dynamic().versions[name] : undefined
  if (version === undefined) return `no version ${name} is configured`
  const isManaged = version.endpoint.is === 'process'
  return isManaged && versions.pid(name) === null && keeperLost() ? `the keeper is lost, so ${name} cannot be started` : null
}
