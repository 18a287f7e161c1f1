/** baton as a user starts it. The generation carries the traffic and is measured; its keeper is a footnote. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, residentBytes } from '../process.ts'
import { freePort, proxyCore, startProgram } from '../program.ts'
import type { Peer } from './peer.ts'

const bin = join(import.meta.dirname, '../../bin/baton.js')

export const baton: Peer = {
  name: 'baton',
  settings: 'bin/baton.js run -c FILE, its defaults (access log off), one external version; the generation is measured, the keeper is not',
  needs: null,
  async start({ folder, port, originPort }) {
    const file = join(folder, 'baton.yaml')
    writeFileSync(file, configuration(folder, port, await freePort(), originPort))
    const program = await startProgram({ name: 'baton', core: proxyCore, argv: [process.execPath, bin, 'run', '-c', file], port })
    const generation = (): number[] => childrenOf(program.pid).slice(-1)
    return {
      program,
      port,
      pids: generation,
      footnote: () => `baton's keeper beside it: ${(residentBytes(program.pid) / 1e6).toFixed(0)} MB resident`,
    }
  },
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
