/** A Redis client for tests, as thin as can be: RESP2 or RESP3, pipelines, and every reply as it came, errors included. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Bulks and lines as latin1 text; maps and sets flat, as RESP2 has them. */
export type Value = string | number | boolean | null | RespError | readonly Value[]
export type Command = readonly (string | number | Buffer)[]

export class RespError {
  readonly line: string

  constructor(line: string) {
    this.line = line
  }
}

export class RespClient implements Disposable {
  readonly socket: Socket
  /** Push frames of RESP3 that came so far, and what came in RESP2 without being asked for. */
  readonly pushes: Value[] = []
  /** Called with each of those. */
  onPush: (push: Value) => void = () => {}
  closed = false
  #rest: Buffer = Buffer.alloc(0)
  readonly #waiting: { readonly done: (value: Value) => void; readonly failed: (error: Error) => void }[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#close())
  }

  /** @param at a port of loopback, or the path of a Unix socket */
  static async connect(at: number | string, protocol: 2 | 3 = 2): Promise<RespClient> {
    const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at)
    await once(socket, 'connect')
    const client = new RespClient(socket)
    if (protocol === 3) await client.call('HELLO', 3)
    return client
  }

  call(...words: Command): Promise<Value> {
    const reply = this.#expect()
    this.socket.write(encode(words))
    return reply
  }

  /** In one piece. */
  pipeline(commands: readonly Command[]): Promise<Value[]> {
    const replies = commands.map(() => this.#expect())
    this.socket.write(Buffer.concat(commands.map(encode)))
    return Promise.all(replies)
  }

  /** Without waiting for a reply that will not come, or will come as a push. */
  write(...words: Command): void {
    this.socket.write(encode(words))
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  #expect(): Promise<Value> {
    if (this.closed) return Promise.reject(new Error('the connection is closed'))
    return new Promise((done, failed) => this.#waiting.push({ done, failed }))
  }

  #data(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const frame = decode(this.#rest, at)
      if (frame === null) break
      at = frame.end
      const asked = frame.isPush ? undefined : this.#waiting.shift()
      if (asked !== undefined) asked.done(frame.value)
      else {
        this.pushes.push(frame.value)
        this.onPush(frame.value)
      }
    }
    this.#rest = this.#rest.subarray(at)
  }

  #close(): void {
    this.closed = true
    for (const { failed } of this.#waiting.splice(0)) failed(new Error('the connection was closed'))
  }
}

export function encode(words: Command): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word), 'latin1')
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

interface Frame {
  readonly value: Value
  readonly end: number
  readonly isPush: boolean
}

/** Null: it is not complete. */
export function decode(bytes: Buffer, from: number): Frame | null {
  const lineEnd = bytes.indexOf('\r\n', from)
  if (lineEnd === -1) return null
  const type = String.fromCharCode(bytes[from] ?? 0)
  const line = bytes.toString('latin1', from + 1, lineEnd)
  const end = lineEnd + 2
  const leaf = (value: Value) => ({ value, end, isPush: false })
  switch (type) {
    case '+':
    case ',':
    case '(':
      return leaf(line)
    case '-':
      return leaf(new RespError(line))
    case ':':
      return leaf(Number(line))
    case '_':
      return leaf(null)
    case '#':
      return leaf(line === 't')
    case '$':
    case '=':
    case '!': {
      const length = Number(line)
      if (length === -1) return leaf(null)
      if (bytes.length < end + length + 2) return null
      return { value: bytes.toString('latin1', end, end + length), end: end + length + 2, isPush: false }
    }
    case '*':
    case '~':
    case '>':
    case '%':
      return decodeMany(bytes, end, type === '%' ? 2 * Number(line) : Number(line), type === '>')
    default:
      throw new Error(`no RESP: ${bytes.toString('latin1', from, from + 80)}`)
  }
}

function decodeMany(bytes: Buffer, from: number, count: number, isPush: boolean): Frame | null {
  if (count < 0) return { value: null, end: from, isPush }
  const values: Value[] = []
  let at = from
  for (let index = 0; index < count; index++) {
    const frame = decode(bytes, at)
    if (frame === null) return null
    values.push(frame.value)
    at = frame.end
  }
  return { value: values, end: at, isPush }
}
