/** Real Redis servers on loopback, each with a folder of its own that is removed at the end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { programPath } from './packages.ts'
import { until } from './until.ts'

export interface RedisOptions {
  /** Lines of redis.conf: `['maxmemory 10mb', 'user baton on >secret ~* &* +@all']`. */
  readonly conf?: readonly string[]
  /** Runs as `redis-server --sentinel`. */
  readonly sentinel?: boolean
  /** Instead of any free one. */
  readonly port?: number
}

export interface Redis extends AsyncDisposable {
  readonly port: number
  readonly pid: number
  /** `redis://127.0.0.1:PORT` */
  readonly url: string
  /** Its folder: `redis.sock` is its Unix socket, and what it dumps is there. */
  readonly folder: string
  /** Ends the process; its folder and port stay. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port. Resolves when it answers. */
  start(): Promise<void>
  /** One inline command on a connection of its own, as bytes on the wire; resolves with the reply's first line. */
  say(command: string): Promise<string>
}

/** Resolves when it answers. Without persistence, unless `conf` says otherwise. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-redis-'))
  const [free = 0] = await freePorts(1)
  const server = new Server(folder, options.port ?? free, options)
  try {
    await server.start()
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return server
}

class Server implements Redis {
  readonly folder: string
  readonly port: number
  readonly #args: readonly string[]
  #child: ChildProcess | null = null
  #output = ''

  constructor(folder: string, port: number, { conf = [], sentinel = false }: RedisOptions) {
    this.folder = folder
    this.port = port
    const file = join(folder, 'redis.conf')
    const plain = sentinel ? [] : ['save ""', 'appendonly no', `unixsocket ${join(folder, 'redis.sock')}`]
    const lines = ['bind 127.0.0.1', `port ${port}`, `dir ${folder}`, 'daemonize no', ...plain, ...conf]
    writeFileSync(file, `${lines.join('\n')}\n`)
    this.#args = [file, ...(sentinel ? ['--sentinel'] : [])]
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('redis does not run')
    return this.#child.pid
  }

  async start(): Promise<void> {
    const child = spawn(programPath('redis-server'), this.#args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.#output = (this.#output + text).slice(-8_192)))
    // with users and passwords an error is an answer as well; while it loads its data it is none
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(`redis ended with ${child.exitCode}: ${this.#output}`)
      return this.say('PING').then(
        (line) => !line.startsWith('-LOADING'),
        () => false,
      )
    }
    await until(answers, () => `redis on port ${this.port} does not answer: ${this.#output}`)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  say(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(`${command}\r\n`))
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1')
        if (!text.includes('\r\n')) return
        socket.destroy()
        resolve(text.slice(0, text.indexOf('\r\n')))
      })
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('redis closed the connection')))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
