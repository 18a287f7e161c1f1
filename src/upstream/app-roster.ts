/**
 * The apps under the keeper: remembered on disk, so that a baton whose keeper and generation both died finds them again by pid, start time
 * and boot id; and handed to the versions that they belong to.
 */
import type { AppProcess, KeeperLink } from '../keeper/protocol.ts'
import type { Log } from '../telemetry/log.ts'
import type { World } from '../world.ts'
import type { Apps } from './managed-process.ts'
import type { Versions } from './versions.ts'

/** From SIGTERM to SIGKILL of a stray: the default of a process's `stopTimeout`, since its own went with its configuration. */
const strayStopMs = 10_000

export interface RosterParts {
  readonly world: World
  readonly keeper: KeeperLink
  readonly log: Log
  /** Its section `apps` is the roster's. */
  readonly state: { get(section: string): unknown; set(section: string, value: unknown): void }
}

export class AppRoster {
  readonly #parts: RosterParts
  /** For the versions: who runs, and who starts and signals. */
  readonly apps: Apps

  constructor(parts: RosterParts) {
    this.#parts = parts
    const { keeper } = parts
    this.apps = {
      running: (name) => keeper.apps.find((app) => app.name === name) ?? null,
      start: (app) => keeper.start(app),
      signal: (name, signal) => keeper.signal(name, signal),
    }
  }

  /** Before the versions begin: what a former keeper left behind is the present one's. */
  async adopt(): Promise<void> {
    const { keeper, state, log } = this.#parts
    const known = new Set(keeper.apps.map(({ name }) => name))
    const left = remembered(state.get('apps')).filter(({ name }) => !known.has(name))
    if (left.length > 0) await keeper.adopt(left)
    const adopted = keeper.apps.filter(({ name }) => !known.has(name)).map(({ name, pid }) => `${name} (${pid})`)
    if (adopted.length > 0) log.warn('process.found', { apps: adopted, hint: 'a former keeper left them behind' })
  }

  /** What the keeper tells goes to the versions, and to the disk. */
  serve(versions: Versions): void {
    const { keeper, state } = this.#parts
    keeper.onApps = (apps) => {
      state.set('apps', apps)
      versions.appsChanged()
    }
    keeper.onExit = (exit) => versions.appExited(exit)
    state.set('apps', keeper.apps)
  }

  /** Once the versions have theirs: an app that none of them knows is of a configuration that is gone, or was being stopped. */
  endStrays(versions: Pick<Versions, 'owns'>): void {
    const { keeper, log, world } = this.#parts
    for (const { name, pid } of keeper.apps) {
      if (versions.owns(name)) continue
      log.warn('process.stray', { app: name, pid, hint: 'no version is configured with it; it is stopped' })
      keeper.signal(name, 'SIGTERM')
      world.after(strayStopMs, () => this.#killStray(name, pid, versions))
    }
  }

  /** Unless it is gone, or a version that was configured meanwhile goes on with it. */
  #killStray(name: string, pid: number, versions: Pick<Versions, 'owns'>): void {
    const { keeper, log } = this.#parts
    if (versions.owns(name) || this.apps.running(name)?.pid !== pid) return
    log.warn('process.killed', { app: name, pid, after_ms: strayStopMs })
    keeper.signal(name, 'SIGKILL')
  }
}

function remembered(section: unknown): readonly AppProcess[] {
  return Array.isArray(section) ? section.filter(isAppProcess) : []
}

function isAppProcess(value: unknown): value is AppProcess {
  if (typeof value !== 'object' || value === null) return false
  const { name, pid, startTime, bootId, port } = value as Record<string, unknown>
  return typeof name === 'string' && typeof bootId === 'string' && [pid, startTime, port].every((number) => typeof number === 'number')
}
