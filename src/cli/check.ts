/** `baton check`: all faults of a configuration, with the code that serving uses. */
import { ConfigError, exitCode } from '../errors.ts'
import { command as define } from './command.ts'
import { readConfig } from './read-config.ts'

export const command = define({
  usage: `usage: baton check [--json] FILE

Says all that is wrong with FILE, a line each, and runs nothing.

  --json   {"ok": …, "faults": [{source, line, column, path, found, expected, hint, reason}]} on stdout

exit code: 0 right, 2 wrong`,
  options: { json: { type: 'boolean' } },
  positionals: ['FILE'],
  async run(values, [file = ''], { world, print }) {
    try {
      await readConfig(file, world)
      print(values.json ? `${JSON.stringify({ ok: true, faults: [] })}\n` : `${file}: right\n`)
      return exitCode.done
    } catch (error) {
      if (!(error instanceof ConfigError) || !values.json) throw error
      print(`${JSON.stringify({ ok: false, faults: error.faults })}\n`)
      return error.exit
    }
  },
})
