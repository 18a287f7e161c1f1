/** One proxy of the bench: how it is started, and what is measured of it. */
import { join } from 'node:path'
import { type Program, proxyCore, startProgram } from '../program.ts'

export interface Place {
  /** A folder of its own. */
  readonly folder: string
  /** Where it has to listen, on 127.0.0.1. */
  readonly port: number
  /** The app, on 127.0.0.1. */
  readonly originPort: number
}

export interface Proxy {
  readonly program: Program
  readonly port: number
  /** The processes that carry traffic, for CPU and memory. */
  pids(): number[]
  /** What else it runs, with its memory now: a footnote. */
  footnote(): string | null
}

export interface Peer {
  readonly name: string
  /** Settings that a reader has to know to compare. */
  readonly settings: string
  start(place: Place): Promise<Proxy>
}

/** A peer in Node: a small server beside this file, run by the Node that runs the bench. */
export function nodePeer(name: string, file: string, settings: string, ...more: string[]): Peer {
  return {
    name,
    settings,
    async start({ port, originPort }) {
      const argv = [process.execPath, join(import.meta.dirname, file), String(port), String(originPort), ...more]
      const program = await startProgram({ name, core: proxyCore, argv, port })
      return { program, port, pids: () => [program.pid], footnote: () => null }
    },
  }
}
