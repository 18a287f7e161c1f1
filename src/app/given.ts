/** What decides how everything else is built, read before anything is. */
import { resolve } from 'node:path'
import { hostsOf, tokenGuard } from '../admin/guard.ts'
import type { Guard } from '../admin/http-server.ts'
import { readToken } from '../admin/token.ts'
import { type Credentials, readCredentials } from '../cache/redis/credentials.ts'
import type { Warn } from '../config/coalesced-file.ts'
import { type Loaded, loadOrLastGood, parseOptionsOf } from '../config/config-file.ts'
import { loadShared } from '../config/etcd/load-shared.ts'
import type { Store } from '../config/etcd/store.ts'
import type { ParseOptions } from '../config/settle.ts'
import { StateFile } from '../config/state-file.ts'
import { errorMessage } from '../errors.ts'
import { FileJournal } from '../rollout/file-journal.ts'
import { Events } from '../telemetry/events.ts'
import { atLeast, createLog, type Log } from '../telemetry/log.ts'
import { lineSink, standardOutput } from '../telemetry/standard-output.ts'
import type { World } from '../world.ts'

export interface Given {
  readonly loaded: Loaded
  /** What the file held; null where it could not be used. */
  readonly fileText: string | null
  /** Null where the file alone has the say. */
  readonly store: Store | null
  readonly parseOptions: ParseOptions
  readonly log: Log
  readonly events: Events
  readonly stateFile: StateFile
  readonly journal: FileJournal
  /** Of the admin listener on TCP, where one is configured. */
  readonly tcpGuard: Guard | null
  /** Null where no Redis is configured. */
  readonly credentials: Credentials | null
}

/** @throws ConfigError, BatonError */
export async function readGiven({ configFile, world }: { readonly configFile: string; readonly world: World }): Promise<Given> {
  const events = new Events()
  const early = createLog(world, 'info', [lineSink(standardOutput, 'auto'), events.take])
  const parseOptions = parseOptionsOf(configFile, world)
  const local = await loadOrLastGood(configFile, parseOptions, resolve(world.env.BATON_STATE || '.baton'), warnOn(early))
  const { log: settings, state, admin, redis } = local.config.bootstrap
  const tcpGuard = admin === null ? null : tokenGuard(await readToken(admin.tokenFile), hostsOf(admin.address))
  // lines are written from that level on; events are told whatever is written
  const lines = atLeast(settings.level, lineSink(standardOutput, settings.format))
  const log = createLog(world, settings.level === 'debug' ? 'debug' : 'info', [lines, events.take])
  const stateFile = await StateFile.open(state, warnOn(log))
  const journal = await FileJournal.open(state, warnOn(log))
  const { loaded, store } = await loadShared(local, world, warnOn(log))
  const fileText = local.fault === null ? local.text : null
  const credentials = redis === null ? null : await readCredentials(redis)
  return { loaded, fileText, store, parseOptions, log, events, stateFile, journal, tcpGuard, credentials }
}

export function warnOn(log: Log): Warn {
  return (message, error) => log.warn('baton.warning', { message, reason: errorMessage(error) })
}
