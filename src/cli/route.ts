/** `baton route`: where a request would go and why, asked of the running baton, or of a file. */
import { BatonError, exitCode } from '../errors.ts'
import { type Explanation, formatFailure } from '../routing/explain.ts'
import { hostOf } from '../routing/host.ts'
import type { RouteRequest } from '../routing/route.ts'
import { type AdminAddress, adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { type Context, command as define } from './command.ts'
import { configOption } from './config-option.ts'

export const command = define({
  usage: `usage: baton route [options] TARGET

Says where a request would go, and why. TARGET is a path with its query, or a whole URL.

  -X, --method METHOD        GET if none is given
  -H, --header 'name: value' any number of them
  --host HOST                the Host of the request
  --client ADDRESS           the client's address; 127.0.0.1 if none is given
  -c, --config FILE          evaluate this file, without a running baton
  --json                     the whole explanation
${adminUsage}

exit code: 0 explained, 1 unreachable, 2 usage or wrong configuration`,
  options: {
    ...configOption,
    ...adminOptions,
    method: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true },
    host: { type: 'string' },
    client: { type: 'string' },
    json: { type: 'boolean' },
  },
  positionals: ['TARGET'],
  async run(values, [target = ''], context) {
    const request = requestOf(target, values)
    const explanation =
      values.config === undefined
        ? await askBaton(adminAddress(values, context.world), request)
        : await explainFile(values.config, request, context)
    context.print(values.json ? `${JSON.stringify(explanation)}\n` : formatExplanation(explanation))
    return exitCode.done
  },
})

interface RequestOptions {
  readonly method?: string
  readonly header?: readonly string[]
  readonly host?: string
  readonly client?: string
}

/** @throws BatonError `usage`. */
export function requestOf(given: string, options: RequestOptions): RouteRequest {
  const url = /^https?:\/\//.test(given) ? URL.parse(given) : null
  if (url === null && !given.startsWith('/'))
    throw new BatonError('usage', `TARGET "${given}": expected a path that begins with /, or a URL`)
  const raw = (options.header ?? []).flatMap(field)
  const host = options.host ?? url?.host ?? headerOf(raw, 'host') ?? ''
  return {
    method: options.method ?? 'GET',
    target: url === null ? given : `${url.pathname}${url.search}`,
    host: hostOf(host),
    raw,
    client: options.client ?? '127.0.0.1',
  }
}

function field(text: string): [name: string, value: string] {
  const colon = text.indexOf(':')
  if (colon < 1) throw new BatonError('usage', `-H "${text}": expected 'name: value'`)
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]
}

function headerOf(raw: readonly string[], name: string): string | undefined {
  const at = raw.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
  return at === -1 ? undefined : raw[at + 1]
}

async function askBaton(address: AdminAddress, request: RouteRequest): Promise<Explanation> {
  return (await ask(address, { method: 'POST', path: '/v1/route', body: request })) as Explanation
}

/** Loads the configuration's code only when a file is asked. */
async function explainFile(file: string, request: RouteRequest, { world }: Context): Promise<Explanation> {
  const { readConfig } = await import('./read-config.ts')
  const { compileSnapshot } = await import('../config/compile.ts')
  const { bootstrap, dynamic } = await readConfig(file, world)
  return compileSnapshot(bootstrap, dynamic, 0).router.explain(request, world.random)
}

function formatExplanation({ decision, reason, routes }: Explanation): string {
  const trials = routes.map(({ route, matched, failures }) => {
    const why = failures.map(formatFailure).join('; ')
    return `  ${route}: ${matched ? (route === decision.route ? 'claimed it' : 'would match') : why}\n`
  })
  return `${decision.version}\n  ${reason}\n${trials.length === 0 ? '' : `routes, in order:\n${trials.join('')}`}`
}
