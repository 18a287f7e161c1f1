/** Short ways to write messages and cases. Every request names its lane, so that whatever the proxy forwards of it is found. */
import type { Case, Expected, ExpectedResponse, Step } from './case.ts'

const crlf = '\r\n'

/** A request head with exactly these lines, and the lane's. */
export function req(line: string, ...lines: readonly string[]): string {
  return [line, ...lines, 'X-Lane: $LANE', '', ''].join(crlf)
}

export function get(target: string, ...lines: readonly string[]): string {
  return req(`GET ${target} HTTP/1.1`, 'Host: app.test', ...lines)
}

export function head(target: string, ...lines: readonly string[]): string {
  return req(`HEAD ${target} HTTP/1.1`, 'Host: app.test', ...lines)
}

/** A POST whose length is that of the body. */
export function post(target: string, body: string, ...lines: readonly string[]): string {
  return req(`POST ${target} HTTP/1.1`, 'Host: app.test', ...lines, `Content-Length: ${body.length}`) + body
}

/** A chunked POST head; the body is the case's. */
export function postChunked(target: string, ...lines: readonly string[]): string {
  return req(`POST ${target} HTTP/1.1`, 'Host: app.test', ...lines, 'Transfer-Encoding: chunked')
}

export function chunk(data: string): string {
  return `${data.length.toString(16)}${crlf}${data}${crlf}`
}

/** The end of a chunked body. */
export function last(...trailers: readonly string[]): string {
  return ['0', ...trailers, '', ''].join(crlf)
}

/** A response head with exactly these lines. */
export function res(line: string, ...lines: readonly string[]): string {
  return [`HTTP/1.1 ${line}`, ...lines, '', ''].join(crlf)
}

/** A 200 with a length. */
export function ok(body: string, ...lines: readonly string[]): string {
  return res('200 OK', ...lines, `Content-Length: ${body.length}`) + body
}

/** The app reads the request, then sends this. */
export function answers(text: string): readonly Step[] {
  return ['request', { send: text }]
}

/** A case of a request that is forwarded and answered 200 on a kept connection. */
export function forwarded(name: string, rfc: string, send: string, app: Expected['app'], client: Partial<ExpectedResponse> = {}): Case {
  return { name, rfc, send, expect: { app, client: { status: 200, ...client }, connection: 'kept' } }
}

/**
 * A case of a request that must be refused, the connection closed, and nothing of it or of what follows it reach the app.
 * A second, well-formed request is sent right behind, as a smuggler would.
 */
export function refused(name: string, rfc: string, send: string, status: number | readonly number[] = 400): Case {
  return { name, rfc, send: send + get('/smuggled'), expect: { app: 'nothing', client: { status }, connection: 'closed' } }
}

/** As `refused`, of a body whose fault may be met when the head was already forwarded: no whole request may reach the app. */
export function refusedBody(name: string, rfc: string, send: string, status: number | readonly number[] = 400): Case {
  return { name, rfc, send: send + get('/smuggled'), expect: { app: 'nothing whole', client: { status }, connection: 'closed' } }
}

/** A case of what the app answers to `GET /`. */
export function answered(
  name: string,
  rfc: string,
  answer: string | readonly Step[],
  client: ExpectedResponse,
  more: Partial<Case> = {},
): Case {
  const app = typeof answer === 'string' ? answers(answer) : answer
  return { name, rfc, send: get('/'), app, expect: { app: 'anything', client, connection: 'kept' }, ...more }
}

/** As `answered`, but the answer cannot be used: the client gets 502 and never a byte of it. */
export function unusable(name: string, rfc: string, answer: string | readonly Step[], more: Partial<Case> = {}): Case {
  const app = typeof answer === 'string' ? answers(answer) : answer
  const client = { status: 502, lacks: ['x-evil'] }
  return { name, rfc, send: get('/'), app, expect: { app: 'anything', client }, ...more }
}
