/** `baton cache warm NAME` */
import type { WarmState } from '../cache/warming.ts'
import { exitCode } from '../errors.ts'
import { pause } from '../world.ts'
import { type AdminAddress, adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { notUnderstood } from './answer.ts'
import { isStats, warmText } from './cache-text.ts'
import { command as define } from './command.ts'

export const command = define({
  usage: `usage: baton cache warm NAME [--wait]

Begins to read what is worth it into the cache of version NAME, as cache.warm of the configuration says; one that is under way is joined.

  --wait              show how far it is until it has ended
  --json              how it stands, in JSON; with --wait a line each second
${adminUsage}

exit code: 0 begun, or with --wait warm; 1 unreachable, or with --wait colder than it should be; 2 usage, or no such version; 4 there is no cache`,
  options: { ...adminOptions, json: { type: 'boolean' }, wait: { type: 'boolean' } },
  positionals: ['NAME'],
  async run(values, [version = ''], { world, print }) {
    const address = adminAddress(values, world)
    const told = (state: WarmState) => print(values.json === true ? `${JSON.stringify(state)}\n` : `${version} ${warmText(state)}\n`)
    let state = (await ask(address, { method: 'POST', path: '/v1/cache/warm', body: { version } })) as WarmState
    if (!isWarmState(state)) throw notUnderstood('warm-up')
    told(state)
    while (values.wait === true && state.ended === null) {
      await pause(world, 1_000)
      state = await stateOf(address, version)
      told(state)
    }
    return values.wait !== true || state.verdict === 'go' ? exitCode.done : exitCode.failed
  },
})

async function stateOf(address: AdminAddress, version: string): Promise<WarmState> {
  const stats = await ask(address, { method: 'GET', path: '/v1/cache' })
  const state = isStats(stats) ? stats.versions.find((each) => each.version === version)?.warm : null
  if (state === undefined || state === null) throw notUnderstood('warm-up')
  return state
}

function isWarmState(value: unknown): value is WarmState {
  return typeof value === 'object' && value !== null && 'progress' in value && 'verdict' in value
}
