import { exitCode } from '../errors.ts'
import { command as define } from './command.ts'
import { commands } from './commands.ts'

export const command = define({
  usage: 'usage: baton help',
  options: {},
  positionals: [],
  async run(_values, _positionals, { print }) {
    const shown = Object.entries(commands).filter(([, entry]) => entry.hidden !== true)
    const lines = shown.map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
    print(`usage: baton COMMAND [options]\n\n${lines.join('\n')}\n\n"baton COMMAND --help" tells more.\n`)
    return exitCode.done
  },
})
