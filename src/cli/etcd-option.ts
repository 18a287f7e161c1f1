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
  /** The file that said so, and its bootstrap half. */
  readonly file: string
  readonly bootstrap: Bootstrap
}

/** Closes the store when `run` has ended. @throws ConfigError, BatonError */
export async function withEtcd<T>(option: string | undefined, call: string, world: World, run: (shared: Shared) => Promise<T>): Promise<T> {
  const file = configFile(option, call)
  const bootstrap = parseBootstrap(await readConfigText(file), file, parseOptionsOf(file, world))
  if (bootstrap.config === null) throw new BatonError('usage', `${file} has no bootstrap.config.etcd: its configuration is the file itself`)
  const store = await openStore(bootstrap.config, world)
  try {
    return await run({ store, prefix: bootstrap.config.prefix, file, bootstrap })
  } finally {
    await store.close()
  }
}
