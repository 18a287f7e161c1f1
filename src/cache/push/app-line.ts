/** The way to one app's endpoint: one request at a time on a kept connection, each bounded in time and in the size of its answer. */
import { Agent, type IncomingMessage, request as open } from 'node:http'
import { BatonError, errorMessage } from '../../errors.ts'
import type { World } from '../../world.ts'
import { limits } from './wire.ts'

export interface AppAddress {
  readonly address: { readonly is: 'tcp'; readonly host: string; readonly port: number } | { readonly is: 'unix'; readonly path: string }
  /** Of the endpoint: `/baton/cache`. */
  readonly path: string
}

export class AppLine {
  readonly #app: AppAddress
  readonly #world: Pick<World, 'after'>
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  /** Of the request that is under way, or was. */
  #over = new AbortController()

  constructor(app: AppAddress, world: Pick<World, 'after'>) {
    this.#app = app
    this.#world = world
  }

  /**
   * The answer's body. Said once more where the connection failed: an app answers a repeat as it did before, and a kept connection may
   * end at the very moment at which it is used. @throws BatonError
   */
  async post(body: Buffer, timeoutMs: number): Promise<string> {
    const over = new AbortController()
    this.#over = over
    const late = new BatonError('unreachable', `the app has not answered within ${timeoutMs} ms`)
    const timer = this.#world.after(timeoutMs, () => over.abort(late))
    try {
      return await this.#once(body, over.signal).catch((error: unknown) => {
        if (error instanceof BatonError || over.signal.aborted) throw error
        return this.#once(body, over.signal)
      })
    } catch (error) {
      if (over.signal.aborted) throw over.signal.reason
      throw error instanceof BatonError ? error : new BatonError('unreachable', `the app: ${errorMessage(error)}`, error)
    } finally {
      timer.cancel()
    }
  }

  close(): void {
    this.#over.abort(new BatonError('unreachable', 'closed'))
    this.#agent.destroy()
  }

  /** @throws Error where the connection failed, BatonError where the app did */
  #once(body: Buffer, signal: AbortSignal): Promise<string> {
    const { address, path } = this.#app
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const request = open({
      ...(address.is === 'tcp' ? { host: address.host, port: address.port } : { socketPath: address.path }),
      path,
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: { 'user-agent': 'baton', 'content-type': 'application/x-ndjson', 'content-length': body.length },
    })
    request.on('error', reject)
    let isAnswered = false
    request.on('response', (response) => {
      isAnswered = true
      textOf(response).then(resolve, reject)
    })
    // neither an answer nor an error: an upgrade that nobody asked for ends so
    request.on('close', () => isAnswered || reject(new Error('the connection was closed without an answer')))
    request.end(body)
    return promise
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const { statusCode = 0 } = response
  if (statusCode !== 200) {
    response.destroy()
    throw new BatonError('refused', `the app answered ${statusCode}`)
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // leaving the loop destroys the response
    if (bytes > limits.answerBytes) throw new BatonError('refused', `the app's answer has more than ${limits.answerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
