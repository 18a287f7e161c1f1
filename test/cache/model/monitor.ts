/** The order in which Redis did things, and when, as MONITOR tells it: the truth that reads are judged by. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Done {
  /** Position in the order. */
  readonly at: number
  /** Redis's clock, ms since the epoch. */
  readonly time: number
  readonly db: number
  /** `127.0.0.1:41932`; `lua` for what a script did. */
  readonly by: string
  readonly words: readonly string[]
}

export class Monitor implements Disposable {
  readonly done: Done[] = []
  #rest = ''
  #socket: Socket | null = null
  #onLine: () => void = () => {}

  /** Again after each start of the Redis. */
  async attach(port: number): Promise<void> {
    this.#socket?.destroy()
    this.#rest = ''
    const socket = connect(port, '127.0.0.1')
    this.#socket = socket
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write('MONITOR\r\n')
    await once(socket, 'data')
    socket.on('data', (chunk) => this.#data(chunk.toString('latin1')))
  }

  /** All that was told is gone: a Redis that was started anew. */
  markFlushed(time: number): void {
    this.done.push({ at: this.done.length, time, db: 0, by: 'restart', words: ['FLUSHALL'] })
  }

  /** Resolves when a command with this word was seen. */
  async saw(word: string): Promise<void> {
    while (!this.done.some(({ words }) => words.includes(word))) await new Promise<void>((done) => (this.#onLine = done))
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy()
  }

  #data(text: string): void {
    const lines = (this.#rest + text).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const found = /^\+(\d+\.\d+) \[(\d+) ([^\]]+)\] (.*)$/s.exec(line)
      if (found === null) continue
      const [, time = '', db = '', by = '', rest = ''] = found
      this.done.push({ at: this.done.length, time: Number(time) * 1_000, db: Number(db), by, words: wordsOf(rest) })
    }
    this.#onLine()
  }
}

/** `"SET" "a" "x\x00\" y"` */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, word = '']) =>
    word.includes('\\') ? word.replace(/\\(x..|.)/gs, unescaped) : word,
  )
}

function unescaped(_: string, code: string): string {
  const known: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' }
  return code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (known[code] ?? code)
}
