/** HTTP to the running baton's admin API, over its Unix socket or TCP. Bounded in time and size. */
import http from 'node:http'
import { showAddress } from '../config/show-address.ts'
import { BatonError, errorCode, errorMessage } from '../errors.ts'
import type { AdminAddress } from './admin-address.ts'
import { part } from './answer.ts'

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
}

const answerMs = 10_000
const answerBytes = 16 << 20

/** The answer's JSON. @throws BatonError `unreachable`, `refused` with what the API said, `usage` for a name that it does not know. */
export async function ask(address: AdminAddress, request: AdminRequest): Promise<unknown> {
  const response = await open(address, request)
  const text = await read(response, address)
  const body = parse(text)
  if (response.statusCode !== undefined && response.statusCode < 300) return body
  throw refusal(response.statusCode ?? 0, body, text, address)
}

/** baton's own word on an order stands for itself; any other answer says who gave it. */
function refusal(status: number, body: unknown, text: string, address: AdminAddress): BatonError {
  const { code, message } = complaint(body, text)
  if (code === 'refused') return new BatonError('refused', `refused: ${message}`)
  if (code === 'unknown') return new BatonError('usage', message)
  const isFailure = status === 401 || status >= 500
  return new BatonError(isFailure ? 'unreachable' : 'refused', `${where(address)} says ${status}: ${message}`)
}

/** Server-sent events, each parsed from its `data`, until baton ends the stream. @throws BatonError `unreachable`, `refused`. */
export async function* follow(address: AdminAddress, path: string): AsyncGenerator<unknown> {
  const response = await open(address, { method: 'GET', path })
  if (response.statusCode !== 200) throw new BatonError('refused', `${where(address)} says ${response.statusCode} to ${path}`)
  response.socket.setTimeout(0) // Between two events there may be any time.
  let rest = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      const events = (rest + chunk).split('\n\n')
      rest = events.pop() ?? ''
      if (rest.length > answerBytes) throw new Error(`an event of more than ${answerBytes} bytes`)
      yield* events
        .map(dataOf)
        .filter((data) => data !== '')
        .map(parse)
    }
  } catch (error) {
    throw unreachable(address, error)
  }
}

function dataOf(event: string): string {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  return lines.map((line) => line.slice(5).trimStart()).join('\n')
}

function open(address: AdminAddress, { method, path, body }: AdminRequest): Promise<http.IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers = {
    host: address.is === 'unix' ? 'localhost' : showAddress(address),
    accept: path.endsWith('/events') ? 'text/event-stream' : 'application/json',
    ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...(address.is === 'tcp' ? { authorization: `Bearer ${address.token}` } : {}),
  }
  const target = address.is === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }
  return new Promise((resolve, reject) => {
    const request = http.request({ ...target, method, path, headers, agent: false, timeout: answerMs }, resolve)
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answerMs} ms`)))
    request.on('error', (error) => reject(unreachable(address, error)))
    request.end(text)
  })
}

async function read(response: http.IncomingMessage, address: AdminAddress): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > answerBytes) throw new Error(`an answer of more than ${answerBytes} bytes`)
    }
    return text
  } catch (error) {
    throw unreachable(address, error)
  }
}

/** What is no JSON is given as text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Of `{error: {code, message}}`, else what was sent; one line of it. */
function complaint(body: unknown, text: string): { readonly code: string; readonly message: string } {
  const error = part(body, 'error')
  const line = (value: unknown): string => String(value).split('\n', 1)[0] ?? ''
  return { code: line(part(error, 'code') ?? ''), message: line(part(error, 'message') ?? text) }
}

function where(address: AdminAddress): string {
  return address.is === 'unix' ? address.path : `http://${showAddress(address)}`
}

function unreachable(address: AdminAddress, error: unknown): BatonError {
  const gone = ['ENOENT', 'ECONNREFUSED'].includes(errorCode(error))
  const why = gone ? 'no baton answers there; is it running? (--admin PATH|URL, BATON_STATE)' : errorMessage(error)
  return new BatonError('unreachable', `${where(address)}: ${why}`, error)
}
