/** The generation's side of the line to its keeper: what runs, what should, and what the keeper says. Survives the keeper's death. */
import { BatonError } from '../errors.ts'
import type { World } from '../world.ts'
import { isAlive, signalGroup } from './proc.ts'
import {
  type AppExit,
  type AppProcess,
  type AppStart,
  isMessage,
  type KeeperLink,
  protocolVersion,
  type ToGeneration,
  type ToKeeper,
} from './protocol.ts'

/** How long the first message may take; it is sent before this process has even begun to run. */
const firstMessageMs = 10_000
/** Between looks at apps that nobody reaps for us any more. */
const orphanPollMs = 100

/** Resolves once the keeper has said which apps run. @throws BatonError `usage` if no keeper started this process. */
export async function connectKeeper(world: World): Promise<KeeperLink> {
  if (process.send === undefined || world.env.BATON_KEEPER === undefined) {
    throw new BatonError('usage', 'a generation is started by baton itself: use "baton run -c FILE"')
  }
  const link = new Link(world)
  await link.connected
  return link
}

class Link implements KeeperLink {
  apps: readonly AppProcess[] = []
  lost = false
  readonly keeperPid = process.ppid
  readonly connected: Promise<void>
  onApps: (apps: readonly AppProcess[]) => void = () => undefined
  onExit: (exit: AppExit) => void = () => undefined
  onReload: () => void = () => undefined
  onStop: () => void = () => undefined
  onStopNow: () => void = () => undefined
  onLost: () => void = () => undefined
  readonly #world: World
  #first: () => void = () => undefined
  #adopted: () => void = () => undefined

  constructor(world: World) {
    this.#world = world
    this.connected = new Promise((resolve, reject) => {
      this.#first = resolve
      world.after(firstMessageMs, () => reject(new BatonError('start', 'the keeper did not say which apps run')))
    })
    process.on('message', (message) => this.#heard(message))
    process.on('disconnect', () => this.#lose())
  }

  start(app: AppStart): void {
    if (this.lost) this.onExit({ name: app.name, pid: 0, code: null, signal: null, error: 'the keeper is lost, so no app can be started' })
    else this.#say({ v: protocolVersion, is: 'app-start', app })
  }

  adopt(apps: readonly AppProcess[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#adopted = resolve
    this.#say({ v: protocolVersion, is: 'app-adopt', apps })
    // a keeper that is being lost does not answer; then there is nothing to adopt for
    this.#world.after(firstMessageMs, resolve)
    return promise
  }

  signal(name: string, signal: NodeJS.Signals): void {
    if (!this.lost) {
      this.#say({ v: protocolVersion, is: 'app-signal', name, signal })
      return
    }
    const app = this.apps.find((one) => one.name === name)
    if (app !== undefined && isAlive(app)) signalGroup(app.pid, signal)
  }

  ready(): void {
    if (!this.lost) this.#say({ v: protocolVersion, is: 'ready' })
  }

  leaving(): void {
    if (!this.lost) this.#say({ v: protocolVersion, is: 'leaving' })
  }

  #say(message: ToKeeper): void {
    // A send that fails means the keeper is gone; 'disconnect' tells so, and there is nothing else to do about it.
    process.send?.(message, undefined, undefined, () => undefined)
  }

  #heard(message: unknown): void {
    if (!isMessage<ToGeneration>(message)) return
    switch (message.is) {
      case 'apps':
        this.apps = message.apps
        this.#first()
        this.#adopted()
        this.onApps(message.apps)
        break
      case 'app-exit':
        this.onExit(message.exit)
        break
      case 'reload':
        this.onReload()
        break
      case 'stop':
        this.onStop()
        break
      case 'stop-now':
        this.onStopNow()
        break
    }
  }

  #lose(): void {
    this.lost = true
    this.#world.every(orphanPollMs, () => this.#lookAtOrphans())
    this.onLost()
  }

  #lookAtOrphans(): void {
    const gone = this.apps.filter((app) => !isAlive(app))
    if (gone.length === 0) return
    this.apps = this.apps.filter((app) => !gone.includes(app))
    this.onApps(this.apps)
    for (const { name, pid } of gone) {
      signalGroup(pid, 'SIGKILL') // What its leader left behind; the group's id is not used again while a member lives.
      this.onExit({ name, pid, code: null, signal: null, error: null })
    }
  }
}
