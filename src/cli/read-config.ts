/** A configuration file as commands read it: with the code that serving uses. */
import { loadConfig, parseOptionsOf } from '../config/config-file.ts'
import type { Config } from '../config/parse.ts'
import type { World } from '../world.ts'

/** @throws ConfigError with all faults; one of them if the file cannot be read. */
export async function readConfig(file: string, world: World): Promise<Config> {
  return (await loadConfig(file, parseOptionsOf(file, world))).config
}
