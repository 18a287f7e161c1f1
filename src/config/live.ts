/**
 * The configuration that runs. A change is a transaction: parse, check and compile what is offered, then assign one reference; what has a
 * fault is refused whole and the running one stays; what means the same changes nothing.
 *
 * Of the bootstrap half `processes`, `retirements`, `webhooks` and `allowUpstreams` follow. The rest needs sockets or folders that the generation already holds:
 * it stays as it was at the start, and a change of it is reported as needing a new generation.
 */
import { ConfigError, type ConfigFault, formatConfigFault } from '../errors.ts'
import type { Roles } from '../routing/route.ts'
import { bindRouter } from '../routing/router.ts'
import type { World } from '../world.ts'
import type { Warn } from './coalesced-file.ts'
import { canonicalJson, compileSnapshot, hashOf } from './compile.ts'
import type { Loaded } from './config-file.ts'
import { configKeyOf, nameOf } from './etcd/keys.ts'
import { dynamicText } from './halves.ts'
import type { LastGood, Remote } from './last-good.ts'
import { isMapping } from './mapping.ts'
import { type Config, parseConfig, parseDynamic, recheck } from './parse.ts'
import type { Bootstrap, Dynamic } from './settings.ts'
import type { ParseOptions } from './settle.ts'
import type { Snapshot } from './snapshot.ts'

/** Who offered a configuration; the label `source` of the metrics. */
export type Origin = 'file' | 'api' | 'etcd'

export type Outcome =
  | { readonly is: 'applied'; readonly snapshot: Snapshot; readonly needsGeneration: readonly string[] }
  | { readonly is: 'unchanged'; readonly snapshot: Snapshot; readonly needsGeneration: readonly string[] }
  | { readonly is: 'refused'; readonly faults: readonly ConfigFault[] }

/** Called after the swap, in the order of subscription. */
export type Follower = (now: Snapshot, before: Snapshot) => void

export interface ConfigRecorder {
  /** From the offer to the swap. */
  swapped(origin: Origin, tookMs: number): void
  /** Once for each reason among the faults. */
  rejected(origin: Origin, reason: ConfigFault['reason']): void
}

export interface ConfigStatus {
  /** The file's name, or the key of etcd. */
  readonly source: string
  readonly revision: number
  readonly hash: string
  /** ms since the epoch */
  readonly appliedAt: number
  /** Since when, and why, what runs may not be what the source says. */
  readonly stale: { readonly since: number; readonly reason: string } | null
  /** What was refused last; null again once something is accepted. */
  readonly lastFault: { readonly at: number; readonly origin: Origin; readonly faults: readonly ConfigFault[] } | null
  /** Paths of the bootstrap half whose change waits for a new generation. */
  readonly needsGeneration: readonly string[]
}

export interface LiveParts {
  readonly options: ParseOptions
  readonly world: World
  readonly recorder: ConfigRecorder
  /** Its section `config` holds revision and hash. */
  readonly state: { get(section: string): unknown; set(section: string, value: unknown): void }
  readonly lastGood: { save(lastGood: LastGood): void }
  /** Who plays which role under a configuration; what the configuration says, where nothing else owns the roles. */
  readonly rolesFor?: (dynamic: Dynamic) => Roles
  /** Why a configuration that has no fault of its own cannot be taken now, or null: an upgrade is under way. */
  readonly veto?: (next: Dynamic) => { readonly path: string; readonly reason: string } | null
  /** A follower that throws is a defect of baton: it is told here, and the others are still called. */
  readonly warn: Warn
}

interface Offered {
  readonly config: Config
  readonly text: string
  readonly remote: Remote | null
}

export class LiveConfig {
  readonly #parts: LiveParts
  readonly #name: string
  readonly #followers: Follower[] = []
  #snapshot: Snapshot
  #text: string
  /** Null while the dynamic half is the file's. */
  #remote: Remote | null
  #appliedAt: number
  #stale: ConfigStatus['stale'] = null
  #lastFault: ConfigStatus['lastFault'] = null
  #needsGeneration: readonly string[] = []

  constructor(first: Loaded, parts: LiveParts) {
    this.#parts = parts
    this.#name = first.name
    const { bootstrap, dynamic } = first.config
    const own = bootstrap.config === null ? firstRevision(parts.state.get('config'), hashOf(dynamic)) : 0
    this.#snapshot = compileSnapshot(bootstrap, dynamic, first.remote?.revision ?? own, parts.rolesFor?.(dynamic))
    this.#text = first.text
    this.#remote = first.remote
    this.#appliedAt = parts.world.now()
    if (first.fault !== null) {
      this.lost(first.fault.message, this.#source)
      this.#lastFault = { at: this.#appliedAt, origin: this.#source, faults: first.fault.faults }
    }
    this.#remember()
  }

  current(): Snapshot {
    return this.#snapshot
  }

  /** The document that runs, without its bootstrap half. */
  dynamicText(): string {
    return this.#remote?.text ?? dynamicText(this.#text)
  }

  /** What the dynamic half that runs came from; null is the file. */
  get remote(): Remote | null {
    return this.#remote
  }

  /** Who has the say on the dynamic half. */
  get #source(): Origin {
    return this.#snapshot.bootstrap.config === null ? 'file' : 'etcd'
  }

  /** Returns the removal. */
  follow(follower: Follower): () => void {
    this.#followers.push(follower)
    return () => {
      const index = this.#followers.indexOf(follower)
      if (index >= 0) this.#followers.splice(index, 1)
    }
  }

  /** The roles have moved: the same configuration, bound to them in one step. */
  rebind(): void {
    const before = this.#snapshot
    const roles = this.#parts.rolesFor?.(before.dynamic) ?? before.roles
    this.#snapshot = Object.freeze({ ...before, roles, router: bindRouter(before.router.table, roles) })
  }

  /** Both halves, from the file as it is now or will be; where etcd has given the dynamic half, that one stays. */
  offer(text: string, origin: 'file' | 'api'): Outcome {
    return this.#attempt(origin, () => ({ config: this.check(text), text, remote: this.#remote }))
  }

  /** The dynamic half alone. */
  offerRemote(remote: Remote): Outcome {
    return this.#attempt('etcd', () => ({ config: this.checkRemote(remote), text: this.#text, remote }))
  }

  /** What `offer` would check, and changes nothing. Throws ConfigError. */
  check(text: string): Config {
    const offered = parseConfig(text, this.#name, this.#parts.options)
    const { bootstrap: running, dynamic } = this.#snapshot
    const bootstrap = followed(running, offered.bootstrap)
    if (this.#remote !== null) {
      const faults = recheck(bootstrap, dynamic, this.#remote.text, this.#remote.name)
      if (faults.length > 0) throw new ConfigError(faults)
      return { bootstrap: offered.bootstrap, dynamic }
    }
    if (changedFixed(running, offered.bootstrap).length > 0) {
      const faults = recheck(bootstrap, offered.dynamic, text, this.#name)
      if (faults.length > 0) throw new ConfigError(faults.map(untilNewGeneration))
    }
    this.#heed(offered.dynamic, this.#name)
    return { bootstrap: offered.bootstrap, dynamic: offered.dynamic }
  }

  /** What `offerRemote` would check, and changes nothing. Throws ConfigError. */
  checkRemote({ text, name }: Remote): Config {
    const { bootstrap } = this.#snapshot
    const dynamic = parseDynamic(text, name, bootstrap)
    this.#heed(dynamic, name)
    return { bootstrap, dynamic }
  }

  #attempt(origin: Origin, read: () => Offered): Outcome {
    const begun = this.#parts.world.elapsed()
    try {
      return this.#apply(read(), origin, begun)
    } catch (error) {
      if (error instanceof ConfigError) return this.refuse(error.faults, origin)
      throw error
    }
  }

  #heed(next: Dynamic, source: string): void {
    const veto = this.#parts.veto?.(next) ?? null
    if (veto === null) return
    const { path, reason } = veto
    const expected = 'the running value until the upgrade has ended'
    throw new ConfigError([{ source, line: null, column: null, path, found: 'a change', expected, hint: reason, reason: 'busy' }])
  }

  /** Counts and remembers what was refused, here or before it came here. */
  refuse(faults: readonly ConfigFault[], origin: Origin): Outcome {
    this.#lastFault = { at: this.#parts.world.now(), origin, faults }
    const first = faults[0]
    if (this.#stale && first) this.lost(formatConfigFault(first), origin)
    for (const reason of new Set(faults.map((fault) => fault.reason))) this.#parts.recorder.rejected(origin, reason)
    return { is: 'refused', faults }
  }

  /** The source cannot be read: what runs goes on, and is stale from now. What has no say on the dynamic half makes nothing stale. */
  lost(reason: string, origin: Origin): void {
    if (origin !== this.#source) return
    this.#stale = { since: this.#stale?.since ?? this.#parts.world.now(), reason }
  }

  /** The source can be read again, and says what it was known to say. */
  found(): void {
    this.#stale = null
    if (this.#lastFault?.faults.every((fault) => fault.reason === 'unreadable')) this.#lastFault = null
  }

  status(): ConfigStatus {
    const { revision, hash } = this.#snapshot
    return {
      source: this.#snapshot.bootstrap.config === null ? this.#name : nameOf(configKeyOf(this.#snapshot.bootstrap.config.prefix)),
      revision,
      hash,
      appliedAt: this.#appliedAt,
      stale: this.#stale,
      lastFault: this.#lastFault,
      needsGeneration: this.#needsGeneration,
    }
  }

  #apply({ config: offered, text, remote }: Offered, origin: Origin, begun: number): Outcome {
    const before = this.#snapshot
    const bootstrap = followed(before.bootstrap, offered.bootstrap)
    const needsGeneration = changedFixed(before.bootstrap, offered.bootstrap)
    const same = hashOf(offered.dynamic) === before.hash && canonicalJson(bootstrap) === canonicalJson(before.bootstrap)
    const { recorder, world, rolesFor } = this.#parts
    const own = this.#source === 'etcd' || same ? before.revision : before.revision + 1
    const revision = remote?.revision ?? own
    const snapshot = same
      ? withRevision(before, revision)
      : compileSnapshot(bootstrap, offered.dynamic, revision, rolesFor?.(offered.dynamic))
    this.#snapshot = snapshot
    this.#text = text
    this.#remote = remote
    this.#needsGeneration = needsGeneration
    const isHeard = origin === this.#source || origin === 'api'
    if (isHeard) this.#stale = null
    if (isHeard || this.#lastFault?.origin === origin) this.#lastFault = null
    this.#remember()
    if (same) return { is: 'unchanged', snapshot, needsGeneration }
    this.#appliedAt = world.now()
    recorder.swapped(origin, world.elapsed() - begun)
    this.#tell(snapshot, before)
    return { is: 'applied', snapshot, needsGeneration }
  }

  #tell(now: Snapshot, before: Snapshot): void {
    for (const follower of [...this.#followers]) {
      try {
        follower(now, before)
      } catch (error) {
        this.#parts.warn('a part of baton failed to follow the new configuration', error)
      }
    }
  }

  /** What is stale was not read from the source, and is not saved again: its age stays what it is. */
  #remember(): void {
    if (this.#stale) return
    const { revision, hash } = this.#snapshot
    this.#parts.state.set('config', { revision, hash })
    this.#parts.lastGood.save({ text: this.#text, remote: this.#remote, hash, revision, savedAt: this.#parts.world.now() })
  }
}

function withRevision(snapshot: Snapshot, revision: number): Snapshot {
  return snapshot.revision === revision ? snapshot : Object.freeze({ ...snapshot, revision })
}

/** Forward by one, unless the same content was there before. */
function firstRevision(stored: unknown, hash: string): number {
  if (!isMapping(stored) || typeof stored.revision !== 'number' || !Number.isSafeInteger(stored.revision)) return 1
  return stored.hash === hash ? stored.revision : stored.revision + 1
}

/** The running bootstrap half with what follows of the offered one. */
function followed(running: Bootstrap, offered: Bootstrap): Bootstrap {
  const { processes, retirements, webhooks, allowUpstreams } = offered
  return { ...running, processes, retirements, webhooks, allowUpstreams }
}

function changedFixed(running: Bootstrap, offered: Bootstrap): string[] {
  const fixed = (half: Bootstrap): Record<string, unknown> => ({
    'bootstrap.listeners.public': half.listeners.public,
    'bootstrap.listeners.metrics': half.listeners.metrics,
    'bootstrap.admin': half.admin,
    'bootstrap.config': half.config,
    'bootstrap.redis': half.redis,
    'bootstrap.state': half.state,
    'bootstrap.log': half.log,
  })
  const now = fixed(running)
  return Object.entries(fixed(offered)).flatMap(([path, value]) => (canonicalJson(value) === canonicalJson(now[path]) ? [] : [path]))
}

function untilNewGeneration(fault: ConfigFault): ConfigFault {
  return { ...fault, hint: `${fault.hint ?? fault.expected}; the running listeners stay until a new generation` }
}
