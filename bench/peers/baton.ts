/** baton as a user starts it. The generation carries the traffic and is measured; its keeper is a footnote. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/kit/free-ports.ts'
import { childrenOf, residentBytes } from '../process.ts'
import { type Program, proxyCore, startProgram } from '../program.ts'
import type { Peer } from './peer.ts'

const root = join(import.meta.dirname, '../..')
const readyTimeoutMs = 15_000

export const baton: Peer = {
  name: 'baton',
  settings:
    'the compiled package, `baton run -c FILE`, its defaults (access log off), one external version; the generation is measured, the keeper is not',
  async start({ folder, port, originPort }) {
    const file = join(folder, 'baton.yaml')
    const metricsPort = await freePort()
    const bin = packageInto(join(folder, 'package'))
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

/** The package as it is published, without a `dist` in the tree that later runs of the sources would take for theirs. */
function packageInto(folder: string): string {
  mkdirSync(folder, { recursive: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')])
  for (const name of ['bin', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'bin/baton.js')
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
