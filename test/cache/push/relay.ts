/**
 * The worst that may stand between baton and an app: it holds batches back, brings them after baton has given them up, or twice, loses
 * answers, and for broken variants changes what a batch says.
 */
import { once } from 'node:events'
import { createServer, request as open } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Header } from '../../../src/cache/push/wire.ts'

export interface Batch {
  readonly header: Header
  readonly lines: readonly string[]
}

export interface Passage {
  readonly delayMs: number
  /** It comes once more, that much later. */
  readonly againMs: number | null
  readonly isAnswerLost: boolean
}

export interface Relay extends AsyncDisposable {
  readonly port: number
}

export interface RelayOptions {
  readonly appPort: number
  /** Of the next batch. */
  passage(): Passage
  /** `last`: the app's last answer, and when it came by. */
  change(batch: Batch, last: { readonly answer: Answer; readonly at: number } | null): Batch
}

export async function startRelay({ appPort, passage, change }: RelayOptions): Promise<Relay> {
  let last: { answer: Answer; at: number } | null = null
  const under = new Set<Promise<void>>()
  const deliver = async (body: Buffer): Promise<string> => {
    const [first = '', ...lines] = body.toString().trimEnd().split('\n')
    const { header, lines: kept } = change({ header: JSON.parse(first) as Header, lines }, last)
    const answer = await post(appPort, `${[JSON.stringify({ ...header, ops: kept.length }), ...kept].join('\n')}\n`)
    last = { answer: JSON.parse(answer) as Answer, at: performance.now() }
    return answer
  }
  const server = createServer((request, response) => {
    const passing = (async () => {
      const body = await buffer(request)
      const { delayMs, againMs, isAnswerLost } = passage()
      if (delayMs > 0) await sleep(delayMs)
      const answer = await deliver(body)
      if (isAnswerLost) response.destroy()
      else response.end(answer)
      if (againMs !== null) await sleep(againMs).then(() => deliver(body))
    })()
    const ended = passing.catch(() => void response.destroy()).finally(() => under.delete(ended))
    under.add(ended)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      const closed = once(server.close(), 'close')
      await Promise.all([closed, ...under])
    },
  }
}

async function post(port: number, body: string): Promise<string> {
  const request = open({ host: '127.0.0.1', port, path: '/baton/cache', method: 'POST', agent: false })
  request.end(body)
  const [response] = await once(request, 'response')
  return (await buffer(response)).toString()
}
