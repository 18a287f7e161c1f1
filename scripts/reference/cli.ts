/** Every command's own help. */
import type { Command } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { subcommands } from '../../src/cli/config.ts'
import { exitCode } from '../../src/errors.ts'
import { realWorld } from '../../src/world.ts'
import { code, generated, table } from './markdown.ts'

/** What a person may set; what baton's processes tell each other is not here. */
const environment: Readonly<Record<string, string>> = {
  BATON_STATE: 'State folder, in place of the configuration’s `bootstrap.state`; commands look for `admin.sock` in it.',
  BATON_ADMIN_TOKEN: 'Token for an admin API on TCP, in place of `--token-file`.',
  BATON_DEBUG: 'If set, an internal error is printed with its stack.',
}

const exitMeaning: Readonly<Record<keyof typeof exitCode, string>> = {
  done: 'done',
  failed: 'failed, or baton could not be reached',
  usage: 'wrong usage or configuration, or an address that cannot be bound',
  rolledBack: 'rolled back',
  refused: 'refused, nothing changed',
  unfinished: 'accepted but not finished',
}

export async function cliPage(): Promise<string> {
  const shown = Object.entries(commands).filter(([, entry]) => entry.hidden !== true)
  const sections = shown.flatMap(([name, { summary, load }]) => [
    { head: `## baton ${name}\n\n${sentence(summary)}`, load },
    ...(name === 'config' ? Object.entries(subcommands).map(([sub, loadSub]) => ({ head: `### baton config ${sub}`, load: loadSub })) : []),
  ])
  const helps = await Promise.all(sections.map(async ({ head, load }) => `${head}\n\n\`\`\`text\n${await helpOf(load)}\n\`\`\``))
  const exits = Object.entries(exitCode).map(([key, value]) => [String(value), exitMeaning[key as keyof typeof exitCode]])
  const variables = Object.entries(environment).map(([name, meaning]) => [code(name), meaning])
  return `# Command line reference

${generated}

${helps.join('\n\n')}

## Exit codes

One table for every command.

${table(['code', 'meaning'], exits)}

## Environment

${table(['variable', 'meaning'], variables)}
`
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}

async function helpOf(load: () => Promise<{ readonly command: Command }>): Promise<string> {
  const { command } = await load()
  let text = ''
  const collect = (part: string) => {
    text += part
  }
  await command.run(['--help'], { world: realWorld, print: collect, complain: collect, isScreen: false, leave: () => undefined })
  return text.trim()
}
