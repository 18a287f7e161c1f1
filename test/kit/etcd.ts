/** Real etcd processes on loopback: one, or a cluster, each with a folder of its own under one that is removed at the end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { findProgram } from './packages.ts'
import { until } from './until.ts'

export interface EtcdTls {
  /** PEM files. */
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** Clients must show a certificate of the same authority. */
  readonly clientCerts: boolean
}

export interface EtcdOptions {
  readonly tls?: EtcdTls
  /** More flags of etcd's own. */
  readonly flags?: readonly string[]
}

export interface EtcdMember {
  readonly name: string
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends it; its data stay. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port, with the same data. Resolves when it answers. */
  start(): Promise<void>
  /** Its data, while it is stopped: it will start as it did the first time. */
  forget(): void
}

export interface Etcd extends AsyncDisposable {
  readonly members: readonly EtcdMember[]
  readonly urls: readonly string[]
}

/** Resolves when every member answers. */
export async function startEtcd(options: EtcdOptions = {}): Promise<Etcd & { readonly url: string; readonly member: EtcdMember }> {
  const etcd = await startEtcdCluster(1, options)
  const [member] = etcd.members
  if (member === undefined) throw new Error('no member')
  return { ...etcd, member, url: member.url, [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose]() }
}

export async function startEtcdCluster(count: number, options: EtcdOptions = {}): Promise<Etcd> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-etcd-'))
  const ports = await freePorts(count * 2)
  const peers = ports.slice(count).map((port, index) => ({ name: `m${index + 1}`, url: `http://127.0.0.1:${port}` }))
  const cluster = peers.map(({ name, url }) => `${name}=${url}`).join(',')
  const members = peers.map(({ name, url }, index) => new Member(name, ports[index] ?? 0, url, cluster, folder, options))
  const stop = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.stop('SIGKILL')))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all(members.map((member) => member.start()))
  } catch (error) {
    await stop()
    throw error
  }
  return { members, urls: members.map(({ url }) => url), [Symbol.asyncDispose]: stop }
}

class Member implements EtcdMember {
  readonly name: string
  readonly url: string
  readonly port: number
  readonly #args: readonly string[]
  readonly #data: string
  readonly #tls: EtcdTls | undefined
  #child: ChildProcess | null = null
  #output = ''

  constructor(name: string, port: number, peerUrl: string, cluster: string, folder: string, { tls, flags = [] }: EtcdOptions) {
    this.name = name
    this.port = port
    this.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
    this.#tls = tls
    this.#data = join(folder, name)
    const own = ['--name', name, '--data-dir', this.#data, '--log-level', 'error']
    const clients = ['--listen-client-urls', this.url, '--advertise-client-urls', this.url]
    const peers = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', cluster]
    const times = ['--heartbeat-interval', '100', '--election-timeout', '1000']
    const files = tls === undefined ? [] : ['--cert-file', tls.cert, '--key-file', tls.key, '--trusted-ca-file', tls.ca]
    const certs = tls?.clientCerts === true ? ['--client-cert-auth'] : []
    this.#args = [...own, ...clients, ...peers, ...times, ...files, ...certs, ...flags]
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  async start(): Promise<void> {
    const program = findProgram('etcd')
    if (program === null) throw new Error('etcd is not there')
    const child = spawn(program, [...this.#args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
    })
    this.#child = child
    child.stderr.on('data', (chunk) => {
      this.#output = (this.#output + chunk).slice(-4_000)
    })
    await until(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`etcd ended: ${this.#output}`)
        return await this.#isHealthy()
      },
      () => `etcd does not answer: ${this.#output}`,
    )
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  forget(): void {
    rmSync(this.#data, { recursive: true, force: true })
  }

  async #isHealthy(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const tls =
      this.#tls === undefined
        ? {}
        : { ca: readFileSync(this.#tls.ca), cert: readFileSync(this.#tls.cert), key: readFileSync(this.#tls.key) }
    const ask = this.#tls === undefined ? httpRequest : httpsRequest
    const request = ask(`${this.url}/health`, { agent: false, timeout: 2_000, ...tls }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(/"health": ?"true"/.test(text)))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.end()
    return await promise
  }
}
