/** `baton status`: what the running baton does, once or watched. */
import { BatonError, exitCode } from '../errors.ts'
import { type AdminAddress, adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask, follow } from './admin-client.ts'
import { notUnderstood } from './answer.ts'
import { type Context, command as define } from './command.ts'
import { isStatus, type Status, statusText } from './status-text.ts'

const redrawMs = 1_000

export const command = define({
  usage: `usage: baton status [--json] [--watch]

Shows roles, versions and their health, and the configuration in force.

  --json    the whole answer of the admin API
  --watch   on a terminal: drawn again each second and at each event; else, or with --json: an event a line, as JSON
${adminUsage}

exit code: 0 shown, 1 unreachable, 2 usage`,
  options: { ...adminOptions, json: { type: 'boolean' }, watch: { type: 'boolean' } },
  positionals: [],
  async run(values, _positionals, context) {
    const address = adminAddress(values, context.world)
    if (values.watch && context.isScreen && !values.json) return await redraw(address, context)
    if (values.watch) return await append(address, context)
    const status = await askStatus(address)
    context.print(values.json ? `${JSON.stringify(status)}\n` : statusText(status, context.world.now()))
    return exitCode.done
  },
})

async function askStatus(address: AdminAddress): Promise<Status> {
  const answer = await ask(address, { method: 'GET', path: '/v1/status' })
  if (isStatus(answer)) return answer
  throw notUnderstood('status')
}

/** Until baton ends the stream. */
async function append(address: AdminAddress, { print }: Context): Promise<number> {
  for await (const event of follow(address, '/v1/events')) print(`${JSON.stringify(event)}\n`)
  throw new BatonError('unreachable', 'baton has ended the stream of events')
}

/** Until Ctrl-C, or baton cannot be reached. */
async function redraw(address: AdminAddress, { world, print }: Context): Promise<number> {
  const draw = async (): Promise<void> => {
    print(`\u001b[H\u001b[2J${statusText(await askStatus(address), world.now())}`)
  }
  await draw()
  return await new Promise((_, reject) => {
    world.every(redrawMs, () => void draw().catch(reject))
    const events = async (): Promise<void> => {
      for await (const _event of follow(address, '/v1/events')) await draw()
    }
    events().catch(reject)
  })
}
