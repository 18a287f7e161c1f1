/** The keeper as a managed process sees it, played by the test: it notes what it is told, and apps start and end on the test's word. */
import type { AppExit, AppStart } from '../../src/keeper/protocol.ts'
import type { Apps } from '../../src/upstream/managed-process.ts'

export class FakeApps implements Apps {
  /** `start NAME` and `SIGTERM NAME`, in order. */
  readonly told: string[] = []
  readonly started: AppStart[] = []
  readonly #running = new Map<string, number>()
  #lastPid = 100

  running(name: string): { readonly pid: number } | null {
    const pid = this.#running.get(name)
    return pid === undefined ? null : { pid }
  }

  start(app: AppStart): void {
    this.told.push(`start ${app.name}`)
    this.started.push(app)
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.told.push(`${signal} ${name}`)
  }

  /** It runs; returns its pid. */
  runs(name: string): number {
    this.#lastPid += 1
    this.#running.set(name, this.#lastPid)
    return this.#lastPid
  }

  ends(name: string, exit: Partial<AppExit> = { code: 0 }): AppExit {
    const pid = this.#running.get(name) ?? 0
    this.#running.delete(name)
    return { name, pid, code: null, signal: null, error: null, ...exit }
  }
}
