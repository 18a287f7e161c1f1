import { readFile } from 'node:fs/promises'
import { exitCode } from '../errors.ts'
import { command as define } from './command.ts'

export const command = define({
  usage: 'usage: baton version',
  options: {},
  positionals: [],
  async run(_values, _positionals, { print }) {
    const file = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
    const { version } = JSON.parse(file) as { version: string }
    print(`baton ${version} (Node.js ${process.versions.node})\n`)
    return exitCode.done
  },
})
