/** A whole answer in one call. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

export function sendText(response: ServerResponse, status: number, text: string, headers: OutgoingHttpHeaders = {}): void {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`, headers)
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  send(response, status, 'application/json', `${JSON.stringify(value)}\n`, headers)
}

export function send(response: ServerResponse, status: number, type: string, text: string, headers: OutgoingHttpHeaders = {}): void {
  const body = Buffer.from(text)
  response.writeHead(status, { 'content-type': type, 'content-length': body.length, 'cache-control': 'no-store', ...headers })
  response.end(body)
}
