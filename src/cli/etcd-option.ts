/** `-c FILE` of commands that talk to etcd: its bootstrap half says where. */
import { parseOptionsOf, readConfigText } from '../config/config-file.ts'
import { openStore } from '../config/etcd/open-store.ts'
import type { Store } from '../config/etcd/store.ts'
import { parseBootstrap } from '../config/parse.ts'
import type { Bootstrap } from '../config/settings.ts'
import { BatonError } from '../errors.ts'
import type { World } from '../world.ts'
import { configFile } from './config-option.ts'

export const etcdUsage = '  -c, --config FILE   its bootstrap.config.etcd says where, and as whom; FILE need have no more than that'

export interface Shared {
  readonly store: Store
  readonly prefix: string
  readonly bootstrap: Bootstrap
}

/** Closes the store when `run` has ended. @throws ConfigError, BatonError */
export async function withEtcd<T>(file: string | undefined, call: string, world: World, run: (shared: Shared) => Promise<T>): Promise<T> {
  const path = configFile(file, call)
  const bootstrap = parseBootstrap(await readConfigText(path), path, parseOptionsOf(path, world))
  if (bootstrap.config === null) throw new BatonError('usage', `${path} has no bootstrap.config.etcd: its configuration is the file itself`)
  const store = await openStore(bootstrap.config, world)
  try {
    return await run({ store, prefix: bootstrap.config.prefix, bootstrap })
  } finally {
    await store.close()
  }
}
