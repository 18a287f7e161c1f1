/** A fleet's etcd with what commands need to reach it: a folder with `boot.yaml`, and the commands themselves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EtcdGateway } from '../../src/config/etcd/gateway.ts'
import type { Store } from '../../src/config/etcd/store.ts'
import { realWorld } from '../../src/world.ts'
import { type Baton, runBaton, startBaton } from '../kit/baton.ts'
import { type EtcdMember, startEtcd } from '../kit/etcd.ts'

export interface SharedEtcd {
  readonly store: Store
  readonly member: EtcdMember
  /** A fleet that nobody has used yet. */
  fleet(): SharedFleet
  close(): Promise<void>
}

export interface SharedFleet {
  readonly prefix: string
  /** Of its files. */
  readonly folder: string
  /** The path of a file with this content. */
  file(name: string, content: string | object): string
  /** `baton WORDS -c boot.yaml`, in the folder of the files. */
  run(...words: string[]): ReturnType<typeof runBaton>
  /** A baton of the fleet with this name. */
  start(instance: string, bootstrap?: object, dynamic?: object): Promise<Baton>
}

/** Where nobody listens: what a fleet does with a configuration does not need apps. */
export const document = (port: number): string => `versions: { v1: { url: "http://127.0.0.1:${port}" } }\nstable: v1\n`

export async function shareEtcd(): Promise<SharedEtcd> {
  const etcd = await startEtcd()
  const root = mkdtempSync(join(tmpdir(), 'baton-shared-'))
  const store = new EtcdGateway({ endpoints: [etcd.url], login: null, tls: null }, realWorld)
  let count = 0
  return {
    store,
    member: etcd.member,
    fleet() {
      const prefix = `/test/${++count}`
      const cwd = mkdtempSync(join(root, 'fleet-'))
      const config = { etcd: { endpoints: [etcd.url], prefix } }
      const file = (name: string, content: string | object): string => {
        writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content))
        return name
      }
      file('boot.yaml', { bootstrap: { config } })
      return {
        prefix,
        folder: cwd,
        file,
        run: (...words) => runBaton([...words, '-c', 'boot.yaml'], { cwd }),
        start: (instance, bootstrap = {}, dynamic = { versions: { v1: { url: 'http://127.0.0.1:1' } }, stable: 'v1' }) =>
          startBaton({ config: { bootstrap: { ...bootstrap, config: { etcd: { ...config.etcd, instance } } }, ...dynamic } }),
      }
    },
    async close() {
      await store.close()
      await etcd[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
