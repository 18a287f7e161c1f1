/** `baton run`: this process becomes the keeper. It loads nothing that reads a configuration. */
import { fileURLToPath } from 'node:url'
import { keep, keeperTiming } from '../keeper/keeper.ts'
import { stderrLog } from '../keeper/log.ts'
import { command as define } from './command.ts'
import { configFile, configOption } from './config-option.ts'

const call = 'usage: baton run -c FILE'

/**
 * V8's options for what serves. Most of what an exchange allocates is gone with it, so a small young heap is enough and stays in the
 * processor's cache; the compiler in the middle saves nothing that lasts. Measured: 140 → 103 MB at 64 connections, the same CPU.
 */
const servingOptions: readonly string[] = ['--max-semi-space-size=4', '--no-maglev']

export const command = define({
  usage: `${call}

Serves, until SIGTERM or Ctrl-C. SIGHUP reads FILE again.

  -c, --config FILE   the configuration, YAML or JSON

exit code: 0 stopped in order, 1 failed or killed, 2 wrong configuration or an address that cannot be bound`,
  options: configOption,
  positionals: [],
  async run(values, _positionals, { world }) {
    const file = configFile(values.config, call)
    const main = fileURLToPath(new URL('../../bin/baton.js', import.meta.url))
    const node = [process.execPath, ...process.execArgv]
    return await keep({
      listenersArgv: [...node, main, 'listeners', '-c', file],
      generationArgv: [...node, ...servingOptions, main, 'generation', '-c', file],
      world,
      log: stderrLog(world),
      timing: keeperTiming,
    })
  },
})
