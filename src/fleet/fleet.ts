/** All that an instance does with etcd: it follows the configuration there, and tells of itself. */
import { hostname } from 'node:os'
import type { Warn } from '../config/coalesced-file.ts'
import { EtcdSource } from '../config/etcd/etcd-source.ts'
import { configKeyOf } from '../config/etcd/keys.ts'
import type { Store } from '../config/etcd/store.ts'
import { limitsOf } from '../config/limits.ts'
import type { LiveConfig, Outcome } from '../config/live.ts'
import type { Bootstrap, EtcdSettings } from '../config/settings.ts'
import { formatConfigFault } from '../errors.ts'
import { pause, type World } from '../world.ts'
import { Follower, type OwnUpgrade } from './follower.ts'
import { Member } from './member.ts'
import type { InstanceRecord } from './record.ts'

export interface FleetParts {
  readonly store: Store
  readonly settings: EtcdSettings
  readonly live: LiveConfig
  readonly world: World
  readonly warn: Warn
  onOutcome(outcome: Outcome): void
  /** What the configuration does not tell. */
  self(): Pick<InstanceRecord, 'build' | 'startedAt' | 'whyNotReady'>
  readonly own: OwnUpgrade
}

/** How long a stop waits for etcd. */
const farewellMs = 1_000

export class Fleet {
  readonly #parts: FleetParts
  readonly #source: EtcdSource
  readonly #member: Member
  readonly #follower: Follower
  readonly #self: string
  #refused: InstanceRecord['refused'] = null

  constructor(parts: FleetParts) {
    this.#parts = parts
    const { store, settings, live, world, warn, own } = parts
    const { prefix } = settings
    this.#self = settings.instance ?? instanceOf(live.current().bootstrap)
    const key = configKeyOf(prefix)
    this.#source = new EtcdSource({ store, key, live, world, warn, onOutcome: (outcome) => this.#heard(outcome) })
    this.#member = new Member({ store, prefix, world, warn, record: () => this.#record() })
    this.#follower = new Follower({ store, prefix, self: this.#self, world, warn, own, configRevision: () => this.#configRevision })
  }

  start(): void {
    this.#source.start()
    this.#member.start()
    this.#follower.start()
  }

  /** Reads the configuration now. */
  read(): Promise<void> {
    return this.#source.read()
  }

  /** Idempotent. An etcd that does not answer holds nobody up: the lease ends by itself. */
  async stop(): Promise<void> {
    const { store, world } = this.#parts
    const ended = Promise.all([this.#source.stop(), this.#follower.stop(), this.#member.stop()])
    await Promise.race([ended, pause(world, farewellMs)])
    await store.close()
    await ended
  }

  /** 0: what runs is not from etcd. */
  get #configRevision(): number {
    return this.#parts.live.remote?.revision ?? 0
  }

  #heard(outcome: Outcome): void {
    this.#parts.onOutcome(outcome)
    this.#refused =
      outcome.is === 'refused' ? { revision: this.#source.revision, faults: outcome.faults.slice(0, 20).map(formatConfigFault) } : null
    this.#member.tell()
  }

  #record(): InstanceRecord {
    const { live, world, self, own } = this.#parts
    const { bootstrap, hash, roles } = live.current()
    const { build, startedAt, whyNotReady } = self()
    return {
      id: this.#self,
      build,
      pid: world.pid,
      startedAt,
      revision: this.#configRevision,
      hash,
      refused: this.#refused,
      stale: live.status().stale?.reason ?? null,
      roles: { stable: roles.stable, candidate: roles.candidate },
      upgrade: own.standing().upgrade,
      ready: whyNotReady === null,
      whyNotReady,
      limits: limitsOf(bootstrap),
    }
  }
}

/** A pod has a host name of its own; on a bare host the port tells two batons apart. */
function instanceOf({ listeners }: Bootstrap): string {
  const { address } = listeners.public
  return `${hostname()}:${address.is === 'tcp' ? address.port : address.path}`
}
