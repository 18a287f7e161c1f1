/** Runs one case in one lane: plays both sides, waits for what they should see, and returns the complaints. */
import type { RawApp } from '../kit/raw-app.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { readMessage, statusOf } from '../kit/raw-message.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
import type { Case, Step } from './case.ts'
import { judgeApp, judgeClient, readResponses, responsesOf, show } from './judge.ts'
import { answers, get, ok } from './wire.ts'

/** One app, used by one case at a time: whatever reaches it belongs to that case. */
export interface Lane {
  /** The value of `X-Lane` that leads here. */
  readonly name: string
  readonly app: RawApp
}

export interface ProxyUnderTest {
  readonly port: number
  /** How long a case may take, all waits together. */
  readonly patienceMs: number
}

const defaultScript = answers(ok('ok'))

/** Empty when the case passed. */
export async function runCase(testCase: Case, lane: Lane, proxy: ProxyUnderTest): Promise<string[]> {
  const play = new Play(testCase, lane, proxy)
  try {
    return await play.run()
  } catch (error) {
    return [error instanceof Error ? error.message : String(error), ...play.transcript()]
  } finally {
    await play.close()
  }
}

class Play {
  readonly #case: Case
  readonly #lane: Lane
  readonly #proxy: ProxyUnderTest
  readonly #deadline: number
  readonly #waiting = new Set<() => void>()
  readonly #heads: boolean[]
  #client: RawSocket | null = null
  #extra: RawSocket[] = []
  #requests = 0
  #floodBytes = 0
  #appFault: string | null = null
  #over = false

  constructor(testCase: Case, lane: Lane, proxy: ProxyUnderTest) {
    this.#case = testCase
    this.#lane = lane
    this.#proxy = proxy
    this.#deadline = Date.now() + proxy.patienceMs
    this.#heads = responsesOf(testCase.expect).map((response) => response.head === true)
  }

  async run(): Promise<string[]> {
    const { app } = this.#lane
    app.changed = this.#changed
    app.serve = (connection) => {
      this.#serve(connection).catch((error: unknown) => {
        this.#appFault ??= error instanceof Error ? error.message : String(error)
        this.#changed()
      })
    }
    if (this.#case.appDown === true) await app.down()
    const client = await this.#connect(this.#case.from)
    this.#client = client
    for (const step of this.#clientSteps()) await this.#take(step, client, null)
    await this.#settle(client)
    if (this.#case.expect.connection === 'kept') await this.#showKept(client)
    if (this.#case.appDown === true) await app.up()
    await this.#fence()
    const complaints = this.#judge(client)
    return complaints.length === 0 ? [] : [...complaints, ...this.transcript()]
  }

  #connect(from?: string): Promise<RawSocket> {
    return connectRaw({ port: this.#proxy.port, changed: this.#changed, ...(from === undefined ? {} : { from }) })
  }

  #clientSteps(): readonly Step[] {
    const { send } = this.#case
    return typeof send === 'string' ? [{ send }, { responses: this.#heads.length }] : send
  }

  /** Waits until nothing is left to complain of, or until the deadline: then the last word is `run`'s. */
  async #settle(client: RawSocket): Promise<void> {
    await this.#until(() => this.#judge(client).length === 0, 'what is expected').catch(() => {})
  }

  #judge(client: RawSocket): string[] {
    const sides = this.#lane.app.connections.map((one) => ({
      bytes: one.received,
      closed: one.ending !== 'open',
      cameAt: (offset: number) => one.cameAt(offset),
    }))
    const seen = { bytes: client.received, ending: client.ending }
    const kept = this.#heads.length > responsesOf(this.#case.expect).length
    const clientComplaints = kept ? [] : judgeClient(this.#case.expect, seen)
    const appFault = this.#appFault === null ? [] : [`app: ${this.#appFault}`]
    return [...clientComplaints, ...judgeApp(this.#case.expect, sides), ...appFault]
  }

  async #showKept(client: RawSocket): Promise<void> {
    const complaints = this.#judge(client)
    if (complaints.length > 0) throw new Error(complaints.join('; '))
    this.#heads.push(false)
    client.send(this.#fill(get('/kept')))
    await this.#responses(client, this.#heads.length).catch((error: unknown) => {
      throw new Error(`the connection was not kept: ${error instanceof Error ? error.message : error}`)
    })
    const { responses } = readResponses({ bytes: client.received, ending: client.ending }, this.#heads)
    const next = responses.at(-1)
    if (responses.length < this.#heads.length || next === undefined) throw new Error('the connection was not kept: it was closed')
    if (statusOf(next) !== 200 || next.body !== 'ok')
      throw new Error(`a next request on the connection was answered ${show(next.startLine)}`)
  }

  /** A request of its own connection, answered after all else was handled: what has not reached the app by then does not come. */
  async #fence(): Promise<void> {
    const fence = await this.#connect()
    this.#extra.push(fence)
    fence.send(this.#fill(get('/fence')))
    await this.#until(() => fence.received.includes('\r\n\r\nok') || fence.ending !== 'open', 'the answer to a next request', 2000)
    if (!fence.received.includes('HTTP/1.1 200')) throw new Error(`a next request was answered ${show(fence.received.toString('latin1'))}`)
  }

  /** Answers the requests of one connection, one after the other. */
  async #serve(connection: RawSocket): Promise<void> {
    let at = 0
    for (;;) {
      const start = at
      const message = (): ReturnType<typeof readMessage> =>
        readMessage(connection.received, start, { kind: 'request', closed: connection.ending !== 'open' })
      await this.#until(() => message() !== null || connection.ending !== 'open' || this.#over, 'a request', Number.POSITIVE_INFINITY)
      const first = message()
      if (first === null || this.#over) return
      const script = this.#script(first.startLine)
      for (const step of script) await this.#take(step, connection, start)
      await this.#until(
        () => message()?.complete === true || connection.ending !== 'open' || this.#over,
        'the rest of a request',
        Number.POSITIVE_INFINITY,
      )
      const whole = message()
      if (whole?.complete !== true || whole.fault !== null || script.some(switches)) return
      at = whole.end
    }
  }

  #script(startLine: string): readonly Step[] {
    if (/^GET \/(kept|fence)\b/.test(startLine)) return defaultScript
    const app = this.#case.app ?? defaultScript
    const nth = this.#requests++
    const scripts = app.some(Array.isArray) ? (app as readonly (readonly Step[])[]) : [app as readonly Step[]]
    return scripts[Math.min(nth, scripts.length - 1)] ?? defaultScript
  }

  /** `start` is where the app's request began; null on the client's side. */
  async #take(step: Step, self: RawSocket, start: number | null): Promise<void> {
    if (step === 'end') return self.end()
    if (step === 'reset') return self.reset()
    if (step === 'pause') return void self.socket.pause()
    if (step === 'resume') return void self.socket.resume()
    if (step === 'closed') return this.#until(() => self.ending !== 'open', `the end of the connection on the side of ${sideOf(start)}`)
    if (step === 'stalled') return this.#stalled(start)
    if (step === 'request') return this.#request(self, start ?? 0)
    if ('send' in step) return self.send(this.#fill(step.send))
    if ('sees' in step) return this.#until(() => self.received.includes(step.sees, 0, 'latin1'), `${show(step.sees)} at ${sideOf(start)}`)
    if ('other' in step)
      return this.#until(
        () => this.#others(start).some((one) => one.received.includes(step.other, 0, 'latin1')),
        `${show(step.other)} beyond ${sideOf(start)}`,
      )
    if ('gets' in step) return this.#until(() => self.received.length >= step.gets, `${step.gets} bytes at ${sideOf(start)}`)
    if ('responses' in step) return this.#responses(self, step.responses)
    this.#floodBytes = step.flood
    for (let left = step.flood; left > 0; left -= 65536) self.send(Buffer.alloc(Math.min(left, 65536), 'x'))
  }

  #others(start: number | null): readonly RawSocket[] {
    if (start === null) return this.#lane.app.connections
    return this.#client === null ? [] : [this.#client]
  }

  #request(self: RawSocket, start: number): Promise<void> {
    const complete = (): boolean =>
      readMessage(self.received, start, { kind: 'request', closed: self.ending !== 'open' })?.complete === true
    return this.#until(() => complete() || this.#over, 'a whole request at the app', Number.POSITIVE_INFINITY)
  }

  #responses(self: RawSocket, count: number): Promise<void> {
    const heads = this.#heads.slice(0, count)
    const whole = (): boolean => {
      const { responses } = readResponses({ bytes: self.received, ending: self.ending }, heads)
      return responses.length === count && responses.every((response) => response.complete)
    }
    return this.#until(() => whole() || self.ending !== 'open', `${count} responses`)
  }

  /** Progress is looked at four times a second: a flood that stands still twice in a row waits for its reader. */
  async #stalled(start: number | null): Promise<void> {
    let before = -1
    for (;;) {
      const now = Math.max(0, ...this.#others(start).map((one) => one.handedOver))
      if (now >= this.#floodBytes && this.#floodBytes > 0) throw new Error(`${now} bytes were taken from the sender while nobody read them`)
      if (now === before && now > 0) return
      before = now
      await new Promise((resolve) => setTimeout(resolve, 250))
      if (Date.now() > this.#deadline) throw new Error('the flood never stood still')
    }
  }

  readonly #changed = (): void => {
    for (const wake of this.#waiting) wake()
  }

  #until(holds: () => boolean, what: string, patienceMs?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const leftMs = patienceMs ?? Math.max(1, this.#deadline - Date.now())
      const timer = Number.isFinite(leftMs) ? setTimeout(() => settle(new Error(`waited in vain for ${what}`)), leftMs) : null
      let scheduled = false
      const settle = (error?: Error): void => {
        if (timer !== null) clearTimeout(timer)
        this.#waiting.delete(wake)
        if (error === undefined) resolve()
        else reject(error)
      }
      const look = (): void => {
        scheduled = false
        if (this.#waiting.has(wake) && holds()) settle()
      }
      const wake = (): void => {
        if (!scheduled) setImmediate(look)
        scheduled = true
      }
      this.#waiting.add(wake)
      wake()
    })
  }

  #fill(text: string): string {
    return text.replaceAll('$LANE', this.#lane.name)
  }

  /** What either side saw, for whoever reads the failure. */
  transcript(): string[] {
    const client = this.#client
    return [
      `  the client saw ${show(client?.received.toString('latin1') ?? '')} (${client?.ending ?? 'not connected'})`,
      ...this.#lane.app.connections.map((one) => `  the app saw ${show(one.received.toString('latin1'))} (${one.ending})`),
    ]
  }

  async close(): Promise<void> {
    this.#over = true
    this.#changed()
    this.#client?.destroy()
    for (const socket of this.#extra) socket.destroy()
    if (this.#case.appDown === true) await this.#lane.app.up().catch(() => {})
    await this.#lane.app.hangUp()
  }
}

function sideOf(start: number | null): string {
  return start === null ? 'the client' : 'the app'
}

function switches(step: Step): boolean {
  return typeof step === 'object' && 'send' in step && step.send.startsWith('HTTP/1.1 101')
}
