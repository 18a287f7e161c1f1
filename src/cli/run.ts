/** `baton run`: this process becomes the keeper. It loads nothing that reads a configuration. */
import { fileURLToPath } from 'node:url'
import { keep, keeperTiming } from '../keeper/keeper.ts'
import { stderrLog } from '../keeper/log.ts'
import { command as define } from './command.ts'
import { configFile, configOption } from './config-option.ts'
import { servingOptions } from './serving-options.ts'

const call = 'usage: baton run -c FILE'

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
      generationArgv: [...node, ...servingOptions(process.versions.v8), main, 'generation', '-c', file],
      world,
      log: stderrLog(world),
      timing: keeperTiming,
    })
  },
})
