/** baton as a user starts it. The generation carries the traffic and is measured; its keeper is a footnote. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf, residentBytes } from '../process.ts'
import { freePort, type Program, proxyCore, startProgram } from '../program.ts'
import type { Peer } from './peer.ts'

const bin = join(import.meta.dirname, '../../bin/baton.js')
/** What bin/baton.js loads: the compiled form, as in the package, where there is one. */
const form = existsSync(join(import.meta.dirname, '../../dist/main.js')) ? 'compiled dist/' : 'TypeScript sources, stripped as they load'
const readyTimeoutMs = 15_000

export const baton: Peer = {
  name: 'baton',
  settings: `bin/baton.js run -c FILE (${form}), its defaults (access log off), one external version; the generation is measured, the keeper is not`,
  needs: null,
  async start({ folder, port, originPort }) {
    const file = join(folder, 'baton.yaml')
    const metricsPort = await freePort()
    writeFileSync(file, configuration(folder, port, metricsPort, originPort))
    const keeper = await startProgram({ name: 'baton', core: proxyCore, argv: [process.execPath, bin, 'run', '-c', file], port })
    const program = { ...keeper, stop: () => stopBoth(keeper) }
    try {
      await ready(metricsPort)
    } catch (error) {
      await program.stop()
      throw error
    }
    return {
      program,
      port,
      pids: () => generationOf(keeper),
      footnote: () => `baton's keeper beside it: ${(residentBytes(keeper.pid) / 1e6).toFixed(0)} MB resident`,
    }
  },
}

const generationOf = (keeper: Program): number[] => childrenOf(keeper.pid).slice(-1)

/** A keeper that had to be killed leaves a generation that serves on. */
async function stopBoth(keeper: Program): Promise<void> {
  const [generation] = existsSync(`/proc/${keeper.pid}`) ? generationOf(keeper) : []
  await keeper.stop()
  if (generation !== undefined && existsSync(`/proc/${generation}`)) process.kill(generation, 'SIGKILL')
}

/** Its first probe of the version has passed: before that it answers 503. */
async function ready(metricsPort: number): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/readyz`)
    const text = await response.text()
    if (response.ok) return
    if (performance.now() > deadline) throw new Error(`it was not ready within ${readyTimeoutMs} ms: ${text.trim()}`)
    await sleep(100)
  }
}

const configuration = (folder: string, port: number, metricsPort: number, originPort: number): string => `
bootstrap:
  state: ${folder}/state
  listeners:
    public: { address: 127.0.0.1:${port} }
    metrics: { address: 127.0.0.1:${metricsPort} }
versions:
  v1: { url: http://127.0.0.1:${originPort}, health: { http: /small } }
stable: v1
`
