import { jsonSchema } from '../config/schema.ts'
import { exitCode } from '../errors.ts'
import { command as define } from './command.ts'

export const command = define({
  usage: `usage: baton schema

Prints the configuration's JSON Schema. An editor that speaks YAML uses it with a first line
  # yaml-language-server: $schema=baton.schema.json`,
  options: {},
  positionals: [],
  async run(_values, _positionals, { print }) {
    print(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
    return exitCode.done
  },
})
