/**
 * Stops an app that baton has not started, after its drain, as `bootstrap.retirements` says. Only an operator and an upgrade retire:
 * an app is not shut down because baton restarts, nor because a configuration moves or drops its version.
 *
 * It may be asked for again, after a failure or a crash half-way. So the first look is at the app: if nothing takes connections at its
 * address, it is gone already, and nobody is signalled (by now its pid may be another's) or called.
 */
import net, { type LookupFunction } from 'node:net'
import type { EndpointSettings, RetirementSettings } from '../config/settings.ts'
import { errorCode, errorMessage } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { World } from '../world.ts'
import { allowedLookup } from './allowed-lookup.ts'
import { retireBySignal } from './retire-by-signal.ts'
import { callForStatus } from './status-call.ts'

/** The app was not stopped, or nobody knows. The message is one line and names the retirement. */
export class RetirementFault extends Error {
  override readonly name = 'RetirementFault'
}

export interface Retirement {
  readonly version: string
  /** As in `bootstrap.retirements`. */
  readonly name: string
  readonly settings: RetirementSettings
  readonly endpoint: EndpointSettings
  readonly allowUpstreams: readonly string[]
}

interface Parts {
  readonly world: World
  readonly log: Log
  readonly metrics: Metrics
}

/** Longest wait for a connection that tells whether the app is still there. */
const lookMs = 2_000

/** Resolves when the app is stopped, or was gone before. @throws RetirementFault */
export async function retireApp(retirement: Retirement, { world, log, metrics }: Parts): Promise<void> {
  const { version, name } = retirement
  const began = world.elapsed()
  const told = (outcome: string) => metrics.add('baton_retirements_total', 1, version, outcome)
  try {
    const outcome = await stopApp(retirement, world)
    told(outcome)
    log.info('version.retired', { version, retirement: name, outcome, took_ms: Math.round(world.elapsed() - began) })
  } catch (error) {
    told('failed')
    throw new RetirementFault(`${version} is not retired by ${name}: ${errorMessage(error)}`, { cause: error })
  }
}

/** `gone`: there was nothing left to stop. */
async function stopApp({ settings, endpoint, allowUpstreams }: Retirement, world: World): Promise<'stopped' | 'gone'> {
  const lookup = allowedLookup(allowUpstreams)
  const isGone = () => refusesConnections(endpoint, lookup, world)
  if (await isGone()) return 'gone'
  if (settings.is === 'signal') await retireBySignal(settings, world)
  else await retireByHttp(settings, lookup, isGone, world)
  return 'stopped'
}

type ByHttp = Extract<RetirementSettings, { readonly is: 'http' }>

async function retireByHttp(settings: ByHttp, lookup: LookupFunction, isGone: () => Promise<boolean>, world: World): Promise<void> {
  const { url, method, timeoutMs } = settings
  const where = `${method} to ${url.host}:${url.port}`
  const status = await callForStatus({ url, method, headers: {}, body: '', timeoutMs, lookup }, world).catch(async (error: unknown) => {
    // some apps end before they have answered
    if (await isGone()) return 204
    throw new Error(`${where}: ${errorMessage(error)}`, { cause: error })
  })
  if (status < 200 || status > 299) throw new Error(`${where} answered ${status}`)
}

const gone: readonly string[] = ['ECONNREFUSED', 'ENOENT', 'ENOTFOUND']

/** Not merely no answer: a refusal, a socket or a name that is no more. */
async function refusesConnections(endpoint: EndpointSettings, lookup: LookupFunction, world: World): Promise<boolean> {
  if (endpoint.is === 'process') return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = net.connect(endpoint.is === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port, lookup })
  const timer = world.after(lookMs, () => resolve(false))
  socket.on('connect', () => resolve(false))
  socket.on('error', (error) => resolve(codesOf(error).every((code) => gone.includes(code))))
  return promise.finally(() => {
    timer.cancel()
    socket.destroy()
  })
}

/** Of a name with several addresses each has its own. */
function codesOf(error: Error): readonly string[] {
  return error instanceof AggregateError ? error.errors.map(errorCode) : [errorCode(error)]
}
