/**
 * Reads HTTP/1.1 messages from bytes, as strictly as RFC 9112 lets a recipient be: what the suite sees on either side of the
 * proxy is judged by this reader and by no library, so that a library's leniency cannot hide a fault.
 */

/** How the end of a body is told (RFC 9112 §6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

export interface Message extends Body {
  readonly startLine: string
  /** Header lines as they came, without CRLF. */
  readonly lines: readonly string[]
}

export interface ReadOptions {
  readonly kind: 'request' | 'response'
  /** It answers a HEAD request: no body, whatever the header says (RFC 9110 §9.3.2). */
  readonly head?: boolean
  /** The sender has closed its side. */
  readonly closed: boolean
}

interface Body {
  readonly framing: Framing
  readonly body: string
  readonly trailers: readonly string[]
  /** All of it came, by its own framing. */
  readonly complete: boolean
  /** What is wrong, or null. */
  readonly fault: string | null
  /** Offset of the first byte after what was read. */
  readonly end: number
}

const fieldLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/
const statusLine = /^HTTP\/1\.[01] [1-5]\d\d [\t\x20-\x7e\x80-\xff]*$/
const requestLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.[01]$/

/** Field values of one name, in order, without surrounding whitespace. */
export function valuesOf(lines: readonly string[], name: string): string[] {
  return lines.filter((line) => nameOf(line) === name.toLowerCase()).map((line) => line.slice(line.indexOf(':') + 1).trim())
}

/** The lower-case field name of a header line. */
export function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase()
}

/** The status of a response's status line; 0 when it has none. */
export function statusOf(message: Message): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(message.startLine)?.[1] ?? 0)
}

/** The message that begins at `from`, or null while its head is not whole. */
export function readMessage(bytes: Buffer, from: number, options: ReadOptions): Message | null {
  const headEnd = bytes.indexOf('\r\n\r\n', from)
  if (headEnd < 0) return null
  const [startLine = '', ...lines] = bytes.toString('latin1', from, headEnd).split('\r\n')
  const fault = headFault(startLine, lines, options.kind)
  const body = readBody(bytes, headEnd + 4, startLine, lines, options)
  return { startLine, lines, ...body, fault: fault ?? body.fault }
}

function headFault(startLine: string, lines: readonly string[], kind: 'request' | 'response'): string | null {
  if (!(kind === 'request' ? requestLine : statusLine).test(startLine)) return `start line ${JSON.stringify(startLine)}`
  const bad = lines.find((line) => !fieldLine.test(line))
  if (bad !== undefined) return `field line ${JSON.stringify(bad)}`
  const lengths = valuesOf(lines, 'content-length')
  const codings = valuesOf(lines, 'transfer-encoding')
  if (lengths.length > 1) return `${lengths.length} Content-Length lines`
  if (lengths[0] !== undefined && !/^\d+$/.test(lengths[0])) return `Content-Length ${JSON.stringify(lengths[0])}`
  if (codings.length > 0 && lengths.length > 0) return 'Content-Length beside Transfer-Encoding'
  if (codings.length > 0 && codings.join(', ').toLowerCase() !== 'chunked') return `Transfer-Encoding ${codings.join(', ')}`
  if (kind === 'request' && valuesOf(lines, 'host').length !== 1) return `${valuesOf(lines, 'host').length} Host lines`
  return null
}

function readBody(bytes: Buffer, from: number, startLine: string, lines: readonly string[], options: ReadOptions): Body {
  const none: Body = { framing: 'none', body: '', trailers: [], complete: true, fault: null, end: from }
  const status = Number(startLine.split(' ')[1])
  const bodiless = options.kind === 'response' && (options.head === true || status < 200 || status === 204 || status === 304)
  if (bodiless) return none
  if (valuesOf(lines, 'transfer-encoding').length > 0) return readChunked(bytes, from)
  const length = valuesOf(lines, 'content-length')[0]
  if (length !== undefined) return readLength(bytes, from, Number(length))
  if (options.kind === 'request') return none
  return { ...none, framing: 'close', body: bytes.toString('latin1', from), complete: options.closed, end: bytes.length }
}

function readLength(bytes: Buffer, from: number, length: number): Body {
  const end = Math.min(from + length, bytes.length)
  const body = bytes.toString('latin1', from, end)
  return { framing: 'length', body, trailers: [], complete: end === from + length, fault: null, end }
}

function readChunked(bytes: Buffer, from: number): Body {
  const parts: string[] = []
  const so = (end: number, rest: Partial<Body>): Body => ({
    framing: 'chunked',
    body: parts.join(''),
    trailers: [],
    complete: false,
    fault: null,
    end,
    ...rest,
  })
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return so(bytes.length, {})
    const line = bytes.toString('latin1', at, lineEnd)
    if (!/^[0-9a-fA-F]+$/.test(line)) return so(lineEnd, { fault: `chunk size line ${JSON.stringify(line)}` })
    const size = Number.parseInt(line, 16)
    if (size === 0) return readTrailers(bytes, lineEnd + 2, so)
    const dataEnd = lineEnd + 2 + size
    parts.push(bytes.toString('latin1', lineEnd + 2, Math.min(dataEnd, bytes.length)))
    if (bytes.length < dataEnd + 2) return so(bytes.length, {})
    if (bytes.toString('latin1', dataEnd, dataEnd + 2) !== '\r\n') return so(dataEnd, { fault: 'no CRLF after a chunk' })
    at = dataEnd + 2
  }
}

function readTrailers(bytes: Buffer, from: number, so: (end: number, rest: Partial<Body>) => Body): Body {
  const trailers: string[] = []
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return so(bytes.length, {})
    if (lineEnd === at) return so(at + 2, { complete: true, trailers })
    trailers.push(bytes.toString('latin1', at, lineEnd))
    at = lineEnd + 2
  }
}
