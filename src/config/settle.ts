/** From the document's friendly shape to the settings that the rest of baton takes: shorthands spelt out, paths made absolute, health merged. */
import { resolve } from 'node:path'
import type { PathMatch, RouteMatch, RouteSpec, StickySpec, TextMatch } from '../routing/route.ts'
import type { BootstrapDocument, DynamicDocument, HealthDocument, RouteDocument, VersionDocument } from './schema.ts'
import type {
  AccessLogSettings,
  Bootstrap,
  Dynamic,
  EndpointSettings,
  EtcdSettings,
  HealthSettings,
  ProbeSettings,
  ProcessSettings,
  RetirementSettings,
  VersionSettings,
} from './settings.ts'
import { settleCache } from './settle-cache.ts'
import { settleRedis } from './settle-redis.ts'
import { settleRollout } from './settle-rollout.ts'

/** What relative paths of the bootstrap half are relative to. */
export interface ParseOptions {
  /** Folder of the configuration file, absolute. */
  readonly folder: string
  /** Working directory, absolute; the state folder is relative to it. */
  readonly workingFolder: string
  /** The value of BATON_STATE; '' and undefined are none. */
  readonly stateOverride: string | undefined
}

export function settleBootstrap(document: BootstrapDocument, options: ParseOptions): Bootstrap {
  const { listeners, admin, config, redis, allowUpstreams, processes, retirements, webhooks, log } = document
  return {
    listeners,
    admin: admin ? { address: admin.address, tokenFile: resolve(options.folder, admin.tokenFile) } : null,
    config: config ? settleEtcd(config.etcd, options.folder) : null,
    redis: redis ? settleRedis(redis, options.folder) : null,
    state: resolve(options.workingFolder, options.stateOverride || document.state),
    allowUpstreams: allowUpstreams.map((entry) => entry.toLowerCase()),
    processes: each(processes, (process) => settleProcess(process, options.folder)),
    retirements: each(retirements, (retirement) => settleRetirement(retirement, options.folder)),
    webhooks: each(webhooks, (webhook) => ({ ...webhook, secretFile: resolve(options.folder, webhook.secretFile) })),
    log,
  }
}

function settleEtcd(
  { endpoints, prefix, user, passwordFile, tls, instance }: NonNullable<BootstrapDocument['config']>['etcd'],
  folder: string,
): EtcdSettings {
  const file = (path: string | undefined) => (path === undefined ? null : resolve(folder, path))
  return {
    endpoints,
    prefix,
    login: user === undefined || passwordFile === undefined ? null : { user, passwordFile: resolve(folder, passwordFile) },
    tls: tls ? { ca: file(tls.ca), cert: file(tls.cert), key: file(tls.key) } : null,
    instance: instance ?? null,
  }
}

function settleProcess(process: BootstrapDocument['processes'][string], folder: string): ProcessSettings {
  const { command, port, env, cwd, output, stopTimeout } = process
  return {
    command,
    port,
    env,
    cwd: resolve(folder, cwd),
    output: output === 'inherit' ? { is: 'inherit' } : { is: 'file', path: resolve(folder, output.file) },
    stopTimeoutMs: stopTimeout,
  }
}

function settleRetirement({ signal, http }: BootstrapDocument['retirements'][string], folder: string): RetirementSettings {
  if (http) return { is: 'http', url: http.url, method: http.method, timeoutMs: http.timeout }
  if (!signal) throw new TypeError('a retirement without signal and http')
  const { pidFile, name, stopTimeout, kill } = signal
  return { is: 'signal', pidFile: resolve(folder, pidFile), signal: name, stopTimeoutMs: stopTimeout, kill }
}

function each<T, U>(given: Readonly<Record<string, T>>, settle: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, settle(value)]))
}

export function settleDynamic(document: DynamicDocument): Dynamic {
  const { timeouts, limits, drain } = document
  const health = settleHealth(document.health)
  return {
    versions: each(document.versions, (version) => settleVersion(version, health)),
    stable: document.stable,
    candidate: document.candidate === undefined || document.candidate === document.stable ? null : document.candidate,
    routes: document.routes.map(settleRoute),
    sticky: document.sticky ? settleSticky(document.sticky) : null,
    timeouts: {
      connectMs: timeouts.connect,
      headMs: timeouts.head,
      idleMs: timeouts.idle,
      exchangeMs: timeouts.exchange,
      keepAliveMs: timeouts.keepAlive,
      requestHeadMs: timeouts.requestHead,
      upstreamKeepAliveMs: timeouts.upstreamKeepAlive,
    },
    limits: {
      headerBytes: limits.headerBytes,
      headerCount: limits.headerCount,
      uriBytes: limits.uriBytes,
      bodyBytes: limits.bodyBytes,
      exchanges: limits.exchanges,
      queue: limits.queue,
      queueTimeoutMs: limits.queueTimeout,
      connections: limits.connections,
      upstreamConnections: limits.upstreamConnections,
    },
    retry: document.retry,
    drain: {
      endpointDelayMs: drain.endpointDelay,
      deadlineMs: drain.deadline,
      graceMs: drain.grace,
      streamsMs: Math.min(drain.streams ?? drain.deadline, drain.deadline),
      tunnelsMs: Math.min(drain.websockets ?? drain.deadline, drain.deadline),
      idleMs: drain.idle,
    },
    rollout: settleRollout(document.rollout),
    cache: document.cache ? settleCache(document.cache) : null,
    accessLog: settleAccessLog(document.accessLog),
    servedBy: document.servedBy,
  }
}

function settleAccessLog(accessLog: DynamicDocument['accessLog']): AccessLogSettings {
  if (accessLog === 'off') return { is: 'off' }
  return accessLog === 'on' ? { is: 'on' } : { is: 'sample', rate: accessLog.sample }
}

function settleSticky(sticky: NonNullable<DynamicDocument['sticky']>): StickySpec {
  return { cookie: sticky.cookie ?? null, header: sticky.or?.header.toLowerCase() ?? null }
}

export function settleHealth(health: HealthDocument): HealthSettings {
  return {
    probe: probeOf(health, { is: 'tcp' }),
    intervalMs: health.interval,
    fastIntervalMs: health.fastInterval,
    timeoutMs: health.timeout,
    successThreshold: health.successThreshold,
    failureThreshold: health.failureThreshold,
    passiveFailures: health.passiveFailures,
  }
}

export function settleVersion(version: VersionDocument, health: HealthSettings): VersionSettings {
  const own = version.health ?? {}
  return {
    endpoint: endpointOf(version),
    health: {
      probe: probeOf(own, health.probe),
      intervalMs: own.interval ?? health.intervalMs,
      fastIntervalMs: own.fastInterval ?? health.fastIntervalMs,
      timeoutMs: own.timeout ?? health.timeoutMs,
      successThreshold: own.successThreshold ?? health.successThreshold,
      failureThreshold: own.failureThreshold ?? health.failureThreshold,
      passiveFailures: own.passiveFailures ?? health.passiveFailures,
    },
    retire: version.retire ?? null,
    push: version.push ?? null,
  }
}

function endpointOf(version: VersionDocument): EndpointSettings {
  if (version.url) return version.url
  if (version.socket !== undefined) return { is: 'unix', path: version.socket }
  return { is: 'process', process: version.process ?? '' }
}

/** Of a version's own health: `http` or `tcp` replaces the probe, `host` alone changes the host of an HTTP one. */
function probeOf(
  own: { http?: string | undefined; tcp?: true | undefined; host?: string | undefined },
  base: ProbeSettings,
): ProbeSettings {
  if (own.http !== undefined) return { is: 'http', path: own.http, host: own.host ?? (base.is === 'http' ? base.host : null) }
  if (own.tcp) return { is: 'tcp' }
  return base.is === 'http' && own.host !== undefined ? { ...base, host: own.host } : base
}

export function settleRoute(route: RouteDocument): RouteSpec {
  const matches = route.match === undefined ? [] : Array.isArray(route.match) ? route.match : [route.match]
  return {
    name: route.name,
    match: matches.map(settleMatch),
    action: route.split ? { split: route.split } : { to: route.to ?? '' },
    fallback: route.fallback ?? null,
    set: route.set ?? {},
    only: route.only ?? null,
  }
}

type MatchDocument = Exclude<NonNullable<RouteDocument['match']>, unknown[]>
type TextDocument = NonNullable<MatchDocument['host']>

function settleMatch(match: MatchDocument): RouteMatch {
  return {
    ...(match.headers && { headers: texts(match.headers, (name) => name.toLowerCase()) }),
    ...(match.query && { query: texts(match.query) }),
    ...(match.cookies && { cookies: texts(match.cookies) }),
    ...(match.path !== undefined && { path: settlePath(match.path) }),
    ...(match.method !== undefined && { methods: [match.method].flat() }),
    ...(match.host !== undefined && { host: lowerCase(settleText(match.host)) }),
    ...(match.client !== undefined && { client: [match.client].flat() }),
  }
}

function texts(given: Record<string, TextDocument>, key: (name: string) => string = (name) => name): Record<string, TextMatch> {
  return Object.fromEntries(Object.entries(given).map(([name, text]) => [key(name), settleText(text)]))
}

function settleText(text: TextDocument): TextMatch {
  if (typeof text === 'string') return { exact: text }
  const invert = text.invert === undefined ? {} : { invert: text.invert }
  if (text.exact !== undefined) return { exact: text.exact, ...invert }
  if (text.prefix !== undefined) return { prefix: text.prefix, ...invert }
  if (text.suffix !== undefined) return { suffix: text.suffix, ...invert }
  if (text.contains !== undefined) return { contains: text.contains, ...invert }
  if (text.regex !== undefined) return { regex: text.regex, ...invert }
  return text.oneOf ? { oneOf: text.oneOf, ...invert } : { present: true, ...invert }
}

function settlePath(path: NonNullable<MatchDocument['path']>): PathMatch {
  if (typeof path === 'string') return { exact: path }
  if (path.exact !== undefined) return { exact: path.exact }
  return path.prefix === undefined ? { regex: path.regex ?? '' } : { prefix: path.prefix }
}

/** Hosts are compared in lower case; a pattern is left as it is written. */
function lowerCase(text: TextMatch): TextMatch {
  if ('exact' in text) return { ...text, exact: text.exact.toLowerCase() }
  if ('prefix' in text) return { ...text, prefix: text.prefix.toLowerCase() }
  if ('suffix' in text) return { ...text, suffix: text.suffix.toLowerCase() }
  if ('contains' in text) return { ...text, contains: text.contains.toLowerCase() }
  return 'oneOf' in text ? { ...text, oneOf: text.oneOf.map((one) => one.toLowerCase()) } : text
}
