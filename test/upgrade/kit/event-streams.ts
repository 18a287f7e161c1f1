/** Event streams that are open all the time: one that ends is judged and opened anew, as a browser's EventSource does. */
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface StreamEnd {
  readonly at: number
  readonly version: string
  readonly connectedAt: number
  /** `boundary`: between two events, and the body was ended as HTTP says. */
  readonly is: 'boundary' | 'within-event' | 'cut' | 'refused'
  readonly why: string
}

export interface EventStreams {
  readonly ends: readonly StreamEnd[]
  /** Events received so far. */
  events(): number
  stop(): Promise<void>
}

const againMs = 20

export function openEventStreams(port: number, count: number): EventStreams {
  const ends: StreamEnd[] = []
  const seen = { events: 0, stopped: false }
  const requests = new Set<http.ClientRequest>()
  const keepOne = async (): Promise<void> => {
    while (!seen.stopped) {
      const end = await follow(port, requests, () => (seen.events += 1))
      if (!seen.stopped) ends.push(end)
      if (!seen.stopped) await sleep(againMs)
    }
  }
  const all = Array.from({ length: count }, keepOne)
  return {
    ends,
    events: () => seen.events,
    async stop() {
      seen.stopped = true
      for (const request of requests) request.destroy()
      await Promise.all(all)
    },
  }
}

function follow(port: number, requests: Set<http.ClientRequest>, heard: () => void): Promise<StreamEnd> {
  return new Promise((resolve) => {
    const connectedAt = performance.now()
    let version = ''
    let rest = ''
    const request = http.get({ host: '127.0.0.1', port, path: '/events?ms=40', agent: false, headers: { accept: 'text/event-stream' } })
    const end = (is: StreamEnd['is'], why: string): void => {
      requests.delete(request)
      resolve({ at: performance.now(), version, connectedAt, is, why })
    }
    requests.add(request)
    request.on('error', (error) => end('refused', 'code' in error ? String(error.code) : error.message))
    request.on('response', (response) => {
      version = String(response.headers['x-served-by'] ?? '')
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const events = `${rest}${chunk}`.split('\n\n')
        rest = events.pop() ?? ''
        for (const _ of events) heard()
      })
      response.on('close', () => {
        if (response.statusCode !== 200) end('refused', `${response.statusCode} ${response.headers['baton-error'] ?? ''}`)
        else if (!response.complete) end('cut', rest)
        else end(rest === '' ? 'boundary' : 'within-event', rest)
      })
    })
  })
}
