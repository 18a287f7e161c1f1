/** The composition root: builds every part from the configuration, joins them, and knows the order in which they start and stop. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { adminEndpoints, type PutAnswer } from './admin/api.ts'
import { openGuard, tokenGuard } from './admin/guard.ts'
import { HttpServer } from './admin/http-server.ts'
import { observationEndpoints } from './admin/observation.ts'
import { statusOf } from './admin/status.ts'
import { readToken } from './admin/token.ts'
import { type Loaded, loadOrLastGood } from './config/config-file.ts'
import { FileSource, type PutOutcome } from './config/file-source.ts'
import { LastGoodFile } from './config/last-good.ts'
import { LiveConfig, type Outcome } from './config/live.ts'
import type { Snapshot } from './config/snapshot.ts'
import { StateFile } from './config/state-file.ts'
import { BatonError, errorMessage, type Fault, formatConfigFault } from './errors.ts'
import type { KeeperLink, ListenerFds } from './keeper/protocol.ts'
import { Lifecycle, type Part } from './lifecycle.ts'
import { AccessLog } from './proxy/access-log.ts'
import { Exchange } from './proxy/exchange.ts'
import { Gate } from './proxy/gate.ts'
import { NodeServer } from './proxy/inbound/node.ts'
import { Listener } from './proxy/listener.ts'
import type { Plane } from './proxy/plane.ts'
import { RetryBudget } from './proxy/retry-budget.ts'
import { startSweep } from './proxy/sweep.ts'
import { type AddressSet, addressSet } from './routing/address.ts'
import { Events } from './telemetry/events.ts'
import { createLog, jsonLine, type Log, prettyLine } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'
import { createExposition, type Exposition } from './telemetry/prometheus.ts'
import { createUndiciTransport } from './upstream/transport/undici.ts'
import { Versions } from './upstream/versions.ts'
import type { Timer, World } from './world.ts'

export interface AppOptions {
  readonly configFile: string
  readonly listenerFds: ListenerFds
  readonly keeper: KeeperLink
  readonly world: World
}

export interface App {
  /** Resolves when baton serves. @throws BatonError */
  start(): Promise<void>
  /** The ordered end. */
  stop(): Promise<void>
  /** Cuts everything; the process ends right after. */
  stopNow(): void
  reload(): void
}

/** Between looks at the exchanges' deadlines. */
const sweepMs = 250
/** A name is looked up again this often. */
const resolveMs = 5_000
/** Idle connections of clients are closed after this once baton leaves. */
const leaveIdleMs = 5_000
/** How long a start waits for a stable version that was ready before, so that a restart shows no gap. */
const settleMs = 500

export function createApp(options: AppOptions): App {
  return new BatonApp(options)
}

class BatonApp implements App {
  readonly #options: AppOptions
  readonly #events = new Events()
  readonly #metrics = new Metrics()
  #parts: Running | null = null
  #lifecycle: Lifecycle | null = null
  #stopping: Promise<void> | null = null

  constructor(options: AppOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { configFile, world, keeper } = this.#options
    const early = createLog(world, 'info', [writeLine(false), this.#events.take])
    const parseOptions = { folder: resolve(dirname(configFile)), workingFolder: process.cwd(), stateOverride: world.env.BATON_STATE }
    const stateFolder = resolve(world.env.BATON_STATE ?? '.baton')
    const loaded = await loadOrLastGood(configFile, parseOptions, stateFolder, warnOn(early))
    const { log: logSettings, state } = loaded.config.bootstrap
    const isPretty = logSettings.format === 'pretty' || (logSettings.format === 'auto' && process.stdout.isTTY === true)
    const log = createLog(world, logSettings.level, [writeLine(isPretty), this.#events.take])
    const stateFile = await StateFile.open(state, warnOn(log))
    const running = new Running(this.#options, loaded, { log, stateFile, events: this.#events, metrics: this.#metrics, parseOptions })
    this.#parts = running
    this.#lifecycle = new Lifecycle(running.inOrder())
    await this.#lifecycle.start()
    if (this.#stopping !== null) return
    keeper.ready()
    running.announce()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  stopNow(): void {
    this.#parts?.cut()
  }

  reload(): void {
    this.#parts?.reload()
  }

  async #stop(): Promise<void> {
    await this.#parts?.leave()
    await this.#lifecycle?.stop()
  }
}

interface Given {
  readonly log: Log
  readonly stateFile: StateFile
  readonly events: Events
  readonly metrics: Metrics
  readonly parseOptions: { readonly folder: string; readonly workingFolder: string; readonly stateOverride: string | undefined }
}

/** All parts of a generation that serves. */
class Running {
  readonly #options: AppOptions
  readonly #given: Given
  readonly #live: LiveConfig
  readonly #lastGood: LastGoodFile
  readonly #source: FileSource
  readonly #versions: Versions
  readonly #gate = new Gate()
  readonly #accessLog: AccessLog
  readonly #http: NodeServer
  readonly #listener: Listener
  readonly #admin: HttpServer
  readonly #adminTcp: HttpServer | null
  readonly #observation: HttpServer
  readonly #startedAt: number
  #trustedHops: AddressSet
  #exposition: Promise<Exposition> | null = null
  #sweep: Timer | null = null
  #serving = false
  #leaving = false

  constructor(options: AppOptions, loaded: Loaded, given: Given) {
    const { world } = options
    const { log, metrics, stateFile, events } = given
    this.#options = options
    this.#given = given
    this.#startedAt = world.now()
    const { bootstrap } = loaded.config
    this.#lastGood = new LastGoodFile(bootstrap.state, warnOn(log))
    const recorder = {
      swapped: (origin: string, tookMs: number) => {
        metrics.add('baton_config_swaps_total', 1, origin)
        metrics.stage('apply', tookMs / 1000)
      },
      rejected: (origin: string, reason: string) => metrics.add('baton_config_rejected_total', 1, origin, reason),
    }
    this.#live = new LiveConfig(loaded, {
      options: given.parseOptions,
      world,
      recorder,
      state: stateFile,
      lastGood: this.#lastGood,
      warn: warnOn(log),
    })
    const sourceParts = {
      path: options.configFile,
      live: this.#live,
      world,
      warn: warnOn(log),
      onOutcome: (outcome: Outcome) => this.#tell(outcome),
    }
    this.#source = new FileSource(sourceParts, loaded.stale === null ? loaded.text : null)
    this.#versions = this.#createVersions()
    this.#accessLog = new AccessLog(world, metrics, writeText)
    process.stdout.on('drain', () => this.#accessLog.drained())
    this.#trustedHops = addressSet(bootstrap.listeners.public.trustedHops)
    this.#http = this.#createInbound(this.#createPlane())
    this.#listener = new Listener(this.#http, world)
    const administered = {
      status: () => this.#status(),
      config: () => ({ text: this.#live.dynamicText(), hash: this.#live.current().hash }),
      putConfig: async (text: string, ifMatch: string | null) => this.#answer(await this.#source.put(text, ifMatch)),
      reload: async () => this.#answer(await this.#source.reload()),
      route: (request: Parameters<Snapshot['router']['explain']>[0]) => this.#live.current().router.explain(request, world.random),
      events,
    }
    const endpoints = adminEndpoints(administered, world)
    this.#admin = new HttpServer(endpoints, openGuard, log)
    this.#adminTcp =
      bootstrap.admin === null
        ? null
        : new HttpServer(endpoints, tokenGuard(readToken(bootstrap.admin.tokenFile), hostsOf(bootstrap.admin.address)), log)
    const observed = { started: () => this.#serving, whyNotReady: () => this.#whyNotReady(), metrics: () => this.#scrape() }
    this.#observation = new HttpServer(observationEndpoints(observed), openGuard, log)
    this.#collect()
  }

  /** The order of the start; the end is its reverse. */
  inOrder(): readonly Part[] {
    const { listenerFds, keeper } = this.#options
    const { stateFile } = this.#given
    return [
      { name: 'state', start: () => {}, stop: () => Promise.all([stateFile.close(), this.#lastGood.close()]).then(() => {}) },
      this.#server('admin', this.#admin, listenerFds.admin),
      ...(this.#adminTcp === null ? [] : [this.#server('admin-tcp', this.#adminTcp, listenerFds['admin-tcp'])]),
      this.#server('metrics', this.#observation, listenerFds.metrics),
      {
        name: 'versions',
        start: () => {
          keeper.onApps = () => this.#versions.appsChanged()
          keeper.onExit = (exit) => this.#versions.appExited(exit)
          keeper.onLost = () =>
            this.#given.log.error('keeper.lost', {
              hint: 'serving goes on; no app can be started; stop this process with SIGTERM and start baton anew',
            })
          this.#follow(this.#live.current())
          this.#live.follow((now) => this.#follow(now))
          return this.#settled()
        },
        stop: () => this.#versions.stop(0),
      },
      {
        name: 'public',
        start: async () => {
          await this.#listener.start(fdOf(listenerFds, 'public'))
          this.#sweep = startSweep(
            { world: this.#options.world, gate: this.#gate, inFlight: () => this.#versions.all().map(({ version }) => version.inFlight) },
            sweepMs,
          )
          this.#serving = true
        },
        stop: async () => {
          this.#accessLog.flush()
          this.#sweep?.cancel()
        },
      },
      { name: 'configuration', start: () => this.#source.start(), stop: () => this.#source.stop() },
    ]
  }

  announce(): void {
    const { public: publicListener, metrics } = this.#live.current().bootstrap.listeners
    const { stable, candidate } = this.#live.current().roles
    this.#given.log.info('baton.ready', {
      pid: process.pid,
      public: textOf(publicListener.address),
      metrics: textOf(metrics.address),
      stable,
      candidate,
    })
  }

  /** Readiness fails, serving goes on until the endpoints have heard; then no more accepts, and what is under way ends or is cut. */
  async leave(): Promise<void> {
    const { world } = this.#options
    const { endpointDelayMs, deadlineMs } = this.#live.current().dynamic.drain
    this.#leaving = true
    this.#given.log.info('baton.leaving', { endpoint_delay_ms: endpointDelayMs, deadline_ms: deadlineMs })
    if (endpointDelayMs > 0) await new Promise<void>((done) => world.after(endpointDelayMs, done))
    this.#listener.stopAccepting(Math.min(leaveIdleMs, deadlineMs / 2))
    const isEmpty = await this.#listener.empty(deadlineMs)
    if (!isEmpty) this.#given.log.warn('baton.cutting', { connections: this.#listener.connectionCount })
    await this.#versions.stop(0)
    await this.#listener.close()
    this.#given.log.info('baton.left', { cut: !isEmpty })
  }

  cut(): void {
    for (const { version } of this.#versions.all()) version.transport?.destroy()
  }

  reload(): void {
    this.#source
      .reload()
      .then((outcome) => this.#tell(outcome))
      .catch((error: unknown) => this.#given.log.error('config.failed', { reason: errorMessage(error) }))
  }

  #server(name: string, server: HttpServer, fd: number | undefined): Part {
    return { name, start: () => server.listen(fdOf(fd === undefined ? {} : { [name]: fd }, name)), stop: () => server.close() }
  }

  #createVersions(): Versions {
    const { world, keeper } = this.#options
    const { log, metrics, stateFile } = this.#given
    return new Versions({
      world,
      log,
      metrics,
      resolveMs,
      apps: {
        running: (name) => keeper.apps.find((app) => app.name === name) ?? null,
        start: (app) => keeper.start(app),
        signal: (name, signal) => keeper.signal(name, signal),
      },
      openTransport: (endpoint) => {
        const { timeouts, limits } = this.#live.current().dynamic
        const { connectMs, upstreamKeepAliveMs: keepAliveMs } = timeouts
        return createUndiciTransport(endpoint, {
          connectMs,
          keepAliveMs,
          connections: limits.upstreamConnections,
          maxHeaderBytes: limits.headerBytes,
        })
      },
      remembered: rememberedIn(stateFile.get('ready')),
      remember: (ready) => stateFile.set('ready', ready),
    })
  }

  #createPlane(): Plane {
    return {
      world: this.#options.world,
      live: this.#live,
      versions: this.#versions,
      gate: this.#gate,
      budget: new RetryBudget(),
      metrics: this.#given.metrics,
      accessLog: this.#accessLog,
      leaving: () => this.#leaving,
    }
  }

  #createInbound(plane: Plane): NodeServer {
    const { metrics, log } = this.#given
    return new NodeServer({
      world: this.#options.world,
      accept: (inbound) => {
        const exchange = new Exchange(inbound, plane)
        exchange.begin()
        return exchange
      },
      limits: () => this.#live.current().dynamic.limits,
      trustedHops: () => this.#trustedHops,
      refused: (fault: Fault) => {
        metrics.add('baton_refused_total', 1, fault.code)
        log.debug('request.refused', { code: fault.code, detail: fault.detail })
      },
      connected: () => metrics.add('baton_client_connections_total', 1),
    })
  }

  /** What has to hear of a configuration. */
  #follow(snapshot: Snapshot): void {
    const { bootstrap, dynamic } = snapshot
    this.#trustedHops = addressSet(bootstrap.listeners.public.trustedHops)
    this.#http.useTimeouts(dynamic.timeouts)
    this.#versions.apply(bootstrap, dynamic)
    this.#gate.advance(dynamic.limits)
  }

  /** A stable version that was ready before is waited for, but not for long. */
  async #settled(): Promise<void> {
    const { world } = this.#options
    const until = world.elapsed() + settleMs
    const isReady = () => {
      const version = this.#versions.get(this.#live.current().roles.stable)
      return version === undefined || version.probe.is !== 'ready' || version.serving
    }
    while (!isReady() && world.elapsed() < until) await new Promise<void>((done) => world.after(10, done))
  }

  #tell(outcome: Outcome): void {
    const { log } = this.#given
    if (outcome.is === 'refused') {
      log.error('config.rejected', { faults: outcome.faults.map(formatConfigFault) })
      return
    }
    const { revision, hash, roles } = outcome.snapshot
    if (outcome.is === 'applied')
      log.info('config.applied', { revision, hash: hash.slice(0, 12), stable: roles.stable, candidate: roles.candidate })
    if (outcome.needsGeneration.length > 0)
      log.warn('config.needs_new_generation', { changed: outcome.needsGeneration, hint: 'restart baton to apply these' })
  }

  #answer(outcome: PutOutcome): PutAnswer {
    if (outcome.is === 'changed-meanwhile') return { is: 'mismatch', hash: outcome.hash }
    if (outcome.is === 'not-replaceable') return { is: 'unwritable', reason: outcome.reason }
    this.#tell(outcome)
    if (outcome.is === 'refused') return outcome
    const { revision, hash } = outcome.snapshot
    return { is: outcome.is === 'applied' ? 'applied' : 'same', revision, hash }
  }

  #whyNotReady(): string | null {
    if (this.#leaving) return 'leaving'
    const { stable } = this.#live.current().roles
    return this.#versions.get(stable)?.serving === true ? null : `${stable} is not serving`
  }

  #status(): unknown {
    const { keeper } = this.#options
    const { bootstrap, dynamic, roles } = this.#live.current()
    const { listeners, admin } = bootstrap
    const addresses = [listeners.public.address, listeners.metrics.address, ...(admin === null ? [] : [admin.address])]
    return statusOf({
      build: buildVersion(),
      pid: process.pid,
      keeper,
      startedAt: this.#startedAt,
      whyNotReady: this.#whyNotReady(),
      leaving: this.#leaving,
      config: this.#live.status(),
      roles,
      versions: this.#versions.all(),
      idle: Object.keys(dynamic.versions).filter((name) => this.#versions.get(name) === undefined),
      connections: this.#listener.connectionCount,
      queued: this.#gate.waiting,
      listeners: addresses.map(textOf),
    })
  }

  async #scrape(): Promise<{ contentType: string; text: string }> {
    this.#exposition ??= createExposition(this.#given.metrics)
    const exposition = await this.#exposition
    return { contentType: exposition.contentType, text: await exposition.text() }
  }

  #collect(): void {
    const { metrics } = this.#given
    const { keeper } = this.#options
    const each = (read: (supervised: ReturnType<Versions['all']>[number]) => number) => () =>
      this.#versions.all().map((supervised) => ({ labels: { version: supervised.version.name }, value: read(supervised) }))
    const one = (read: () => number) => () => [{ labels: {}, value: read() }]
    metrics.collect(
      'baton_in_flight',
      each(({ version }) => version.inFlight.length),
    )
    metrics.collect(
      'baton_upstream_connections',
      each(({ version }) => version.transport?.connections ?? 0),
    )
    metrics.collect(
      'baton_version_ready',
      each(({ version }) => Number(version.probe.is === 'ready')),
    )
    metrics.collect(
      'baton_version_serving',
      each(({ version }) => Number(version.serving)),
    )
    metrics.collect(
      'baton_queued',
      one(() => this.#gate.waiting),
    )
    metrics.collect(
      'baton_client_connections',
      one(() => this.#listener.connectionCount),
    )
    metrics.collect(
      'baton_config_revision',
      one(() => this.#live.current().revision),
    )
    metrics.collect(
      'baton_config_stale',
      one(() => Number(this.#live.status().stale !== null)),
    )
    metrics.collect(
      'baton_keeper_lost',
      one(() => Number(keeper.lost)),
    )
    metrics.collect('baton_role', () => {
      const { stable, candidate } = this.#live.current().roles
      const role = (name: string, version: string | null) => (version === null ? [] : [{ labels: { role: name, version }, value: 1 }])
      return [...role('stable', stable), ...role('candidate', candidate)]
    })
  }
}

function fdOf(fds: ListenerFds, name: string): number {
  const fd = fds[name]
  if (fd === undefined) throw new BatonError('bind', `the keeper gave no socket for the listener "${name}"; restart baton`)
  return fd
}

function textOf(address: Snapshot['bootstrap']['listeners']['public']['address']): string {
  if (address.is === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** The values of Host that name a TCP admin listener. */
function hostsOf(address: Snapshot['bootstrap']['listeners']['public']['address']): readonly string[] {
  return address.is === 'unix' ? [] : [textOf(address), `localhost:${address.port}`]
}

function rememberedIn(section: unknown): Readonly<Record<string, string>> {
  if (typeof section !== 'object' || section === null) return {}
  return Object.fromEntries(Object.entries(section).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function warnOn(log: Log): (message: string, error: unknown) => void {
  return (message, error) => log.warn('baton.warning', { message, reason: errorMessage(error) })
}

function writeText(text: string): boolean {
  return process.stdout.write(text)
}

function writeLine(isPretty: boolean): Parameters<typeof createLog>[2][number] {
  return (record) => void process.stdout.write(isPretty ? prettyLine(record) : jsonLine(record))
}

function buildVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}
