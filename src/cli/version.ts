import { buildVersion } from '../admin/build.ts'
import { exitCode } from '../errors.ts'
import { command as define } from './command.ts'

export const command = define({
  usage: 'usage: baton version',
  options: {},
  positionals: [],
  async run(_values, _positionals, { print }) {
    print(`baton ${buildVersion()} (Node.js ${process.versions.node})\n`)
    return exitCode.done
  },
})
