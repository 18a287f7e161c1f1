/** The life of the process: arguments → command → exit code. */
import { findCommand } from './cli/commands.ts'
import { report } from './cli/report.ts'
import { terminal } from './cli/terminal.ts'
import { realWorld } from './world.ts'

export async function main(argv: readonly string[]): Promise<void> {
  const context = { world: realWorld, ...terminal(process) }
  const code = await findCommand(argv)
    .then(({ command, args }) => command.run(args, context))
    .catch((error: unknown) => report(error, context))
  context.leave(code)
}
