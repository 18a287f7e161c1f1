/** A start where etcd has the say on the dynamic half: what it holds now, else what it held last, else what the file says. */
import { BatonError, ConfigError, type ConfigFault, errorMessage } from '../../errors.ts'
import { pause, type World } from '../../world.ts'
import type { Warn } from '../coalesced-file.ts'
import type { Loaded } from '../config-file.ts'
import type { LastGood, Remote } from '../last-good.ts'
import { parseDynamic } from '../parse.ts'
import { nameOf } from './keys.ts'
import { remoteOf } from './remote.ts'
import type { Store } from './store.ts'

/** A start waits no longer for etcd, since clients wait for baton. */
const startMs = 4_000

export interface Start {
  readonly local: Loaded
  readonly store: Pick<Store, 'get'>
  /** Of the configuration. */
  readonly key: string
  readonly lastGood: LastGood | null
  readonly world: Pick<World, 'after'>
  readonly warn: Warn
}

/** @throws BatonError `denied` where etcd does not let baton in, and nothing that it held before is on disk. */
export async function loadRemote(start: Start): Promise<Loaded> {
  const { local, key, warn } = start
  if (local.fault !== null) warn(`${local.name} cannot be used; what was last good of it is`, local.fault)
  try {
    return withRemote(local, await read(start))
  } catch (error) {
    const fallback = lastGoodOf(start)
    if (error instanceof BatonError && error.code === 'denied' && fallback === null) throw error
    return { ...(fallback ?? local), fault: error instanceof ConfigError ? error : unreadable(key, errorMessage(error)) }
  }
}

async function read({ store, key, world }: Start): Promise<Remote> {
  const late = pause(world, startMs).then(() => {
    throw new BatonError('unreachable', `etcd does not answer within ${startMs} ms`)
  })
  const { header, entry } = await Promise.race([store.get(key), late])
  if (entry === null) throw unreadable(key, 'no such key')
  return remoteOf(header, entry)
}

function lastGoodOf({ local, key, lastGood, warn }: Start): Loaded | null {
  const remote = lastGood?.remote ?? null
  if (remote === null || remote.name !== nameOf(key)) return null
  try {
    return withRemote(local, remote)
  } catch (error) {
    warn('what etcd held last does not fit this build or this bootstrap half', error)
    return null
  }
}

/** @throws ConfigError */
function withRemote(local: Loaded, remote: Remote): Loaded {
  const { bootstrap } = local.config
  return { ...local, config: { bootstrap, dynamic: parseDynamic(remote.text, remote.name, bootstrap) }, remote, fault: null }
}

function unreadable(key: string, found: string): ConfigError {
  const fault: ConfigFault = {
    source: nameOf(key),
    line: null,
    column: null,
    path: '',
    found,
    expected: 'a configuration',
    hint: found === 'no such key' ? 'baton config put FILE writes it' : null,
    reason: 'unreadable',
  }
  return new ConfigError([fault])
}
