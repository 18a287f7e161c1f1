/** The composition root: builds every part from the configuration, joins them, and knows the order in which they start and stop. */
import { hostname } from 'node:os'
import { type Administered, adminEndpoints } from './admin/api.ts'
import { buildVersion } from './admin/build.ts'
import { openGuard, socketGuard } from './admin/guard.ts'
import { type Guard, HttpServer } from './admin/http-server.ts'
import { observationEndpoints } from './admin/observation.ts'
import { statusOf } from './admin/status.ts'
import { Webhooks } from './admin/webhooks.ts'
import { type Given, readGiven, warnOn } from './app/given.ts'
import { Cache } from './cache/cache.ts'
import { cacheControl } from './cache/control.ts'
import type { Credentials } from './cache/redis/credentials.ts'
import { cacheStats } from './cache/stats.ts'
import { collectConfigGauges, configRecorder } from './config/config-metrics.ts'
import type { Store } from './config/etcd/store.ts'
import { FileSource, type PutOutcome } from './config/file-source.ts'
import { LastGoodFile } from './config/last-good.ts'
import { LiveConfig } from './config/live.ts'
import { logOutcome } from './config/log-outcome.ts'
import type { Bootstrap, Dynamic } from './config/settings.ts'
import { showAddress } from './config/show-address.ts'
import type { Snapshot } from './config/snapshot.ts'
import { type StateFile, textsIn } from './config/state-file.ts'
import { BatonError, errorMessage } from './errors.ts'
import { Fleet } from './fleet/fleet.ts'
import type { KeeperLink, ListenerFds } from './keeper/protocol.ts'
import { Lifecycle, type Part } from './lifecycle.ts'
import { DataPlane } from './proxy/data-plane.ts'
import type { FileJournal } from './rollout/file-journal.ts'
import { Rollout } from './rollout/rollout.ts'
import { versionControl } from './rollout/version-control.ts'
import type { Events } from './telemetry/events.ts'
import type { Log } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'
import { createExposition, type Exposition } from './telemetry/prometheus.ts'
import { standardOutput } from './telemetry/standard-output.ts'
import { AppRoster } from './upstream/app-roster.ts'
import { askToGo } from './upstream/farewell.ts'
import { createUndiciTransport } from './upstream/transport/undici.ts'
import { collectVersionGauges } from './upstream/version-gauges.ts'
import { Versions } from './upstream/versions.ts'
import { pause, steady, type World } from './world.ts'

export interface AppOptions {
  readonly configFile: string
  readonly listenerFds: ListenerFds
  readonly keeper: KeeperLink
  readonly world: World
}

export interface App {
  /** Resolves when baton serves. @throws BatonError */
  start(): Promise<void>
  /** The ordered end; idempotent. */
  stop(): Promise<void>
  /** Cuts everything; the process ends right after. */
  stopNow(): void
  reload(): void
}

/** A name is looked up again this often. */
const resolveMs = 5_000
/** How long a start waits for a stable version that was ready before, so that a restart shows no gap. */
const settleMs = 500

export function createApp(options: AppOptions): App {
  let running: Running | null = null
  let lifecycle: Lifecycle | null = null
  let stopping: Promise<void> | null = null
  // whatever goes wrong on the way out, what is on disk is finished
  const stop = async () => (running?.leave() ?? Promise.resolve()).finally(() => lifecycle?.stop())
  return {
    async start() {
      running = new Running(options, await readGiven(options))
      lifecycle = new Lifecycle(running.parts())
      await lifecycle.start()
      if (stopping !== null) return
      options.keeper.ready()
      running.announce()
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
    stopNow: () => running?.cut(),
    reload: () => running?.reload(),
  }
}

/** All parts of a generation, joined. */
class Running {
  readonly #options: AppOptions
  /** For what is judged, awaited and drained. */
  readonly #steady: World
  readonly #log: Log
  readonly #stateFile: StateFile
  readonly #metrics = new Metrics()
  readonly #lastGood: LastGoodFile
  readonly #live: LiveConfig
  readonly #source: FileSource
  readonly #fleet: Fleet | null
  readonly #roster: AppRoster
  readonly #versions: Versions
  readonly #dataPlane: DataPlane
  readonly #rollout: Rollout
  readonly #cache: Cache | null
  readonly #webhooks: Webhooks
  readonly #servers: Readonly<Record<string, HttpServer>>
  readonly #startedAt: number
  #exposition: Promise<Exposition> | null = null
  #serving = false
  #leaving = false

  constructor(
    options: AppOptions,
    { loaded, fileText, store, parseOptions, log, events, stateFile, journal, tcpGuard, credentials }: Given,
  ) {
    const { world, configFile } = options
    const warn = warnOn(log)
    this.#options = options
    this.#steady = steady(world)
    this.#log = log
    this.#stateFile = stateFile
    this.#startedAt = world.now()
    this.#lastGood = new LastGoodFile(loaded.config.bootstrap.state, warn)
    const recorder = configRecorder(this.#metrics)
    const rollout = this.#createRollout(loaded.config.dynamic, journal)
    this.#rollout = rollout
    const overlay = { rolesFor: (dynamic: Dynamic) => rollout.rolesFor(dynamic), veto: (next: Dynamic) => rollout.vetoFor(next) }
    const liveParts = { options: parseOptions, world, recorder, state: stateFile, lastGood: this.#lastGood, warn, ...overlay }
    this.#live = new LiveConfig(loaded, liveParts)
    const source = { path: configFile, live: this.#live, world, warn, onOutcome: (outcome: PutOutcome) => void this.#told(outcome) }
    this.#source = new FileSource(source, fileText)
    this.#fleet = this.#createFleet(store, loaded.config.bootstrap)
    this.#roster = new AppRoster({ world, keeper: options.keeper, log, state: stateFile })
    this.#versions = this.#createVersions()
    this.#cache = this.#createCache(loaded.config.bootstrap, credentials)
    this.#webhooks = new Webhooks({ world, log, metrics: this.#metrics, events })
    const write = standardOutput.write
    this.#dataPlane = new DataPlane({ world, log, metrics: this.#metrics, live: this.#live, versions: this.#versions, write })
    standardOutput.onDrain(() => this.#dataPlane.accessLog.drained())
    this.#servers = this.#createServers(events, tcpGuard)
    collectVersionGauges(this.#metrics, () => this.#versions.all())
    collectConfigGauges(this.#metrics, this.#live)
    this.#metrics.collect('baton_keeper_lost', () => [{ labels: {}, value: Number(options.keeper.lost) }])
  }

  /** In the order of the start; the end is its reverse. */
  parts(): readonly Part[] {
    const { listenerFds, keeper } = this.#options
    const servers = Object.entries(this.#servers).map(([name, server]) => ({
      name,
      start: () => server.listen(fdOf(listenerFds, name)),
      stop: () => server.close(),
    }))
    const startVersions = async () => {
      await this.#roster.adopt()
      this.#roster.serve(this.#versions)
      keeper.onLost = () =>
        this.#log.error('keeper.lost', { hint: 'serving goes on, no app can be started; stop this process, start baton anew' })
      this.#follow(this.#live.current())
      this.#live.follow((now) => this.#follow(now))
      this.#roster.endStrays(this.#versions)
      await this.#settled()
    }
    const startServing = async () => {
      await this.#dataPlane.start(fdOf(listenerFds, 'public'))
      this.#serving = true
    }
    return [
      { name: 'state', start: nothing, stop: () => this.#stateFile.close() },
      { name: 'last good', start: nothing, stop: () => this.#lastGood.close() },
      { name: 'webhooks', start: () => this.#webhooks.start(this.#live.current().bootstrap.webhooks), stop: () => this.#webhooks.stop() },
      ...servers,
      // before the apps that are its clients, and after them
      {
        name: 'cache',
        start: () => this.#cache?.start((version) => fdOf(listenerFds, `redis-${version}`)),
        stop: () => this.#cache?.stop(),
      },
      { name: 'versions', start: startVersions, stop: () => this.#versions.stop(0) },
      { name: 'rollout', start: () => this.#rollout.start(), stop: () => this.#rollout.stop() },
      { name: 'public', start: startServing, stop: () => this.#dataPlane.close() },
      { name: 'configuration', start: () => this.#source.start(), stop: () => this.#source.stop() },
      { name: 'fleet', start: () => this.#fleet?.start(), stop: () => this.#fleet?.stop() },
    ]
  }

  announce(): void {
    const { bootstrap, roles } = this.#live.current()
    const { public: clients, metrics } = bootstrap.listeners
    const { stable, candidate } = roles
    const addresses = { public: showAddress(clients.address), metrics: showAddress(metrics.address) }
    this.#log.info('baton.ready', { pid: this.#options.world.pid, ...addresses, stable, candidate })
  }

  /** Readiness fails, serving goes on until the endpoints have heard; then no more accepts, and what is under way ends or is cut. */
  async leave(): Promise<void> {
    const { world } = this.#options
    await this.#rollout.stop()
    // who is held waits for a move of the upgrade that does not come any more
    this.#dataPlane.gate.release()
    const { endpointDelayMs, deadlineMs } = this.#live.current().dynamic.drain
    this.#leaving = true
    this.#log.info('baton.leaving', { endpoint_delay_ms: endpointDelayMs, deadline_ms: deadlineMs })
    if (endpointDelayMs > 0) await pause(world, endpointDelayMs)
    const farewell = askToGo(world, { graceMs: 0, deadlineMs }, () => this.#versions.inFlight())
    const isEmpty = await this.#dataPlane.drain(deadlineMs)
    farewell.cancel()
    await this.#versions.stop(0)
    await this.#dataPlane.close()
    this.#log.info('baton.left', { cut: !isEmpty })
  }

  cut(): void {
    for (const { version } of this.#versions.all()) version.transport?.destroy()
  }

  reload(): void {
    void this.#fleet?.read()
    this.#source
      .reload()
      .then((outcome) => this.#told(outcome))
      .catch((error: unknown) => this.#log.error('config.failed', { reason: errorMessage(error) }))
  }

  #createFleet(store: Store | null, { config: settings }: Bootstrap): Fleet | null {
    if (store === null || settings === null) return null
    return new Fleet({
      store,
      settings,
      live: this.#live,
      world: this.#options.world,
      warn: warnOn(this.#log),
      onOutcome: (outcome) => void this.#told(outcome),
      self: () => ({ build: buildVersion(), startedAt: this.#startedAt, whyNotReady: this.#whyNotReady() }),
      own: this.#rollout.led,
    })
  }

  #createCache({ redis }: Bootstrap, credentials: Credentials | null): Cache | null {
    if (redis === null || credentials === null) return null
    const { world } = this.#options
    return new Cache({
      world,
      log: this.#log,
      metrics: this.#metrics,
      redis,
      credentials,
      instance: `${hostname()}-${world.pid}`,
      endpointOf: (version) => this.#versions.get(version)?.endpoint ?? null,
      serving: () => Object.values(this.#live.current().roles).filter((name) => name !== null),
    })
  }

  #createVersions(): Versions {
    const world = this.#steady
    const stateFile = this.#stateFile
    return new Versions({
      world,
      log: this.#log,
      metrics: this.#metrics,
      resolveMs,
      apps: this.#roster.apps,
      openTransport: createUndiciTransport,
      remembered: textsIn(stateFile.get('ready')),
      remember: (ready) => stateFile.set('ready', ready),
    })
  }

  #createRollout(first: Dynamic, journal: FileJournal): Rollout {
    const apply = () => this.#applyVersions(this.#live.current())
    return new Rollout({
      world: this.#steady,
      log: this.#log,
      metrics: this.#metrics,
      journal,
      versions: versionControl(() => this.#versions, this.#metrics, this.#steady, apply),
      first,
      dynamic: () => this.#live.current().dynamic,
      route: () => this.#live.rebind(),
      warm: async (to) => (await this.#cache?.warm(to)) ?? { is: 'none' },
      keeperLost: () => this.#options.keeper.lost,
      holding: () => this.#dataPlane.gate,
    })
  }

  /** By the name of the listener. */
  #createServers(events: Events, tcpGuard: Guard | null): Readonly<Record<string, HttpServer>> {
    const log = this.#log
    const endpoints = adminEndpoints(this.#administered(events), this.#options.world)
    const observed = { started: () => this.#serving, whyNotReady: () => this.#whyNotReady(), metrics: () => this.#scrape() }
    const servers = {
      admin: new HttpServer(endpoints, socketGuard, log),
      metrics: new HttpServer(observationEndpoints(observed), openGuard, log),
    }
    return tcpGuard === null ? servers : { ...servers, 'admin-tcp': new HttpServer(endpoints, tcpGuard, log) }
  }

  #administered(events: Events): Administered {
    const { world } = this.#options
    return {
      events,
      status: () => this.#status(),
      config: () => ({ text: this.#live.dynamicText(), hash: this.#live.current().hash }),
      putConfig: async (text, ifMatch) => this.#told(await this.#source.put(text, ifMatch)),
      reload: async () => this.#told(await this.#source.reload()),
      route: (request) => this.#live.current().router.explain(request, world.random),
      rollout: this.#rollout.control,
      cache: this.#cache === null ? null : cacheControl(this.#cache, world),
    }
  }

  /** What has to hear of a configuration. */
  #follow(snapshot: Snapshot): void {
    this.#webhooks.follow(snapshot.bootstrap.webhooks)
    this.#rollout.follow(snapshot.dynamic)
    this.#cache?.follow(snapshot.dynamic)
    this.#applyVersions(snapshot)
    this.#dataPlane.follow(snapshot)
  }

  #applyVersions({ bootstrap, dynamic }: Snapshot): void {
    this.#versions.apply(bootstrap, dynamic, this.#rollout.wishesFor(dynamic))
  }

  /** A stable version that was ready before is waited for, but not for long. */
  async #settled(): Promise<void> {
    const { world } = this.#options
    const until = world.elapsed() + settleMs
    const isSettled = () => {
      const version = this.#versions.get(this.#live.current().roles.stable)
      return version === undefined || version.probe.is !== 'ready' || version.serving
    }
    while (!isSettled() && world.elapsed() < until) await pause(world, 10)
  }

  #told(outcome: PutOutcome): PutOutcome {
    logOutcome(this.#log, outcome)
    return outcome
  }

  #whyNotReady(): string | null {
    if (this.#leaving) return 'leaving'
    const { stable } = this.#live.current().roles
    return this.#versions.get(stable)?.serving === true ? null : `${stable} is not serving`
  }

  #status(): unknown {
    const { keeper, world } = this.#options
    const { bootstrap, dynamic, roles } = this.#live.current()
    const { listeners, admin } = bootstrap
    const addresses = [listeners.public.address, listeners.metrics.address, ...(admin === null ? [] : [admin.address])]
    return statusOf({
      build: buildVersion(),
      pid: world.pid,
      keeper,
      startedAt: this.#startedAt,
      whyNotReady: this.#whyNotReady(),
      leaving: this.#leaving,
      config: this.#live.status(),
      roles,
      versions: this.#versions.all(),
      upgrade: this.#rollout.upgrade,
      analysis: this.#rollout.verdict,
      cache: this.#cache === null ? null : cacheStats(this.#cache, world.elapsed()),
      idle: Object.keys(dynamic.versions).filter((name) => this.#versions.get(name) === undefined),
      connections: this.#dataPlane.connectionCount,
      queued: this.#dataPlane.gate.waiting,
      held: this.#dataPlane.gate.held,
      listeners: addresses.map(showAddress),
    })
  }

  async #scrape(): Promise<{ contentType: string; text: string }> {
    this.#exposition ??= createExposition(this.#metrics)
    const exposition = await this.#exposition
    return { contentType: exposition.contentType, text: await exposition.text() }
  }
}

function fdOf(fds: ListenerFds, name: string): number {
  const fd = fds[name]
  if (fd === undefined) throw new BatonError('bind', `the keeper gave no socket for the listener "${name}"; restart baton`)
  return fd
}

function nothing(): void {}
