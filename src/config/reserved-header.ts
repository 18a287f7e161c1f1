/** Request headers that baton writes or removes itself, so that no route may set them. */

const reserved: ReadonlySet<string> = new Set([
  // Hop-by-hop: RFC 9110 7.6.1
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
  // Framing and the exchange's own course
  'content-length',
  'expect',
  'host',
  // Forwarding: what baton says of the client
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
])

export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase()
  return reserved.has(lower) || lower.startsWith('baton-')
}
