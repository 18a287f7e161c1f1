/** Compares what both sides saw with what a case expects. Pure: bytes in, a list of complaints out. */
import { type Message, nameOf, readMessage, statusOf, valuesOf } from '../kit/raw-message.ts'
import type { Expected, ExpectedMessage, ExpectedRequest, ExpectedResponse } from './case.ts'

/** What came on one connection of the app. */
export interface AppSide {
  readonly bytes: Buffer
  readonly closed: boolean
  /** When the byte at an offset came, on one clock for all connections. */
  cameAt(offset: number): number
}

export interface ClientSide {
  readonly bytes: Buffer
  readonly ending: 'open' | 'fin' | 'reset'
}

export interface SeenRequest extends Message {
  readonly closed: boolean
  readonly connection: number
  readonly cameAt: number
}

export interface SeenResponse extends Message {
  readonly informs: readonly Message[]
}

/** The runner's own requests: they are no part of the case. */
const ownTarget = /^GET \/(kept|fence)\b/

/** The requests on all connections of the app, in the order in which they came, and what came there that is not one. With `tunnel`, what follows an upgrade is raw bytes. */
export function readRequests(sides: readonly AppSide[], tunnel: boolean): { requests: SeenRequest[]; rest: string } {
  const requests: SeenRequest[] = []
  let rest = ''
  sides.forEach((side, connection) => {
    let at = 0
    for (;;) {
      const message = readMessage(side.bytes, at, { kind: 'request', closed: side.closed })
      if (message === null) break
      const cameAt = side.cameAt(at)
      at = message.end
      if (!ownTarget.test(message.startLine)) requests.push({ ...message, closed: side.closed, connection, cameAt })
      if (!message.complete || message.fault !== null || (tunnel && isUpgrade(message))) break
    }
    rest += side.bytes.toString('latin1', at)
  })
  return { requests: requests.sort((one, other) => one.cameAt - other.cameAt), rest }
}

function isUpgrade(message: Message): boolean {
  return valuesOf(message.lines, 'upgrade').length > 0
}

/** Up to `heads.length` final responses (`heads[i]`: it answers a HEAD), and the bytes after them. */
export function readResponses(side: ClientSide, heads: readonly boolean[]): { responses: SeenResponse[]; rest: string } {
  const responses: SeenResponse[] = []
  let informs: Message[] = []
  let at = 0
  while (responses.length < heads.length) {
    const head = heads[responses.length] === true
    const message = readMessage(side.bytes, at, { kind: 'response', head, closed: side.ending === 'fin' })
    if (message === null) break
    at = message.end
    const status = statusOf(message)
    if (status >= 100 && status < 200 && status !== 101) {
      informs.push(message)
    } else {
      responses.push({ ...message, informs })
      informs = []
    }
    if (!message.complete || message.fault !== null) break
  }
  return { responses, rest: side.bytes.toString('latin1', at) }
}

export function judgeApp(expected: Expected, sides: readonly AppSide[]): string[] {
  const { requests, rest } = readRequests(sides, expected.tunnel !== undefined)
  const faults = requests.flatMap((request) => (request.fault === null ? [] : [`the app got a malformed request: ${request.fault}`]))
  if (expected.app === 'anything') return [...faults, ...judgeAppConnections(expected, requests)]
  if (expected.app === 'nothing')
    return requests.length === 0 && rest === '' ? faults : [`the app got something: ${show(requests[0]?.startLine ?? rest)}`]
  if (expected.app === 'nothing whole') {
    const whole = requests.filter((request) => request.complete || !request.closed)
    return [
      ...faults,
      ...whole.map((request) => `the app got a request ${request.complete ? 'whole' : 'that was not cut'}: ${show(request.startLine)}`),
    ]
  }
  const wanted = Array.isArray(expected.app) ? (expected.app as readonly ExpectedRequest[]) : [expected.app as ExpectedRequest]
  if (requests.length !== wanted.length)
    return [...faults, `the app got ${requests.length} requests, not ${wanted.length}: ${requests.map((r) => r.startLine).join(' | ')}`]
  const tunnel = expected.tunnel?.app
  if (tunnel !== undefined && rest !== tunnel) faults.push(`the app's tunnel brought ${show(rest)}, not ${show(tunnel)}`)
  return [
    ...faults,
    ...wanted.flatMap((want, index) => {
      const seen = requests[index]
      return seen === undefined ? [] : judgeRequest(want, seen).map((complaint) => `app, request ${index + 1}: ${complaint}`)
    }),
    ...judgeAppConnections(expected, requests),
  ]
}

function judgeAppConnections(expected: Expected, requests: readonly SeenRequest[]): string[] {
  const complaints: string[] = []
  const used = new Set(requests.map((request) => request.connection)).size
  if (expected.appConnections !== undefined && used !== expected.appConnections)
    complaints.push(`the app's requests came on ${used} connections, not ${expected.appConnections}`)
  if (expected.appToldOfEnd === true && !requests.every((request) => request.closed)) complaints.push('the app was not told of the end')
  return complaints
}

function judgeRequest(want: ExpectedRequest, seen: SeenRequest): string[] {
  const complaints = judgeMessage(want, seen, seen.closed)
  if (typeof want.line === 'string' && seen.startLine !== want.line) complaints.push(`line ${show(seen.startLine)}, not ${show(want.line)}`)
  if (want.line instanceof RegExp && !want.line.test(seen.startLine)) complaints.push(`line ${show(seen.startLine)}, not ${want.line}`)
  return complaints
}

export function judgeClient(expected: Expected, side: ClientSide): string[] {
  if (expected.client === 'nothing')
    return side.bytes.length === 0 ? [] : [`the client got something: ${show(side.bytes.toString('latin1'))}`]
  const wanted = responsesOf(expected)
  const { responses, rest } = readResponses(
    side,
    wanted.map((want) => want.head === true),
  )
  const complaints = wanted.flatMap((want, index) => {
    const seen = responses[index]
    if (seen === undefined) return [`no response ${index + 1}`]
    return judgeResponse(want, seen, side.ending !== 'open').map((complaint) => `client, response ${index + 1}: ${complaint}`)
  })
  const tunnel = expected.tunnel?.client ?? ''
  if (complaints.length === 0 && rest !== tunnel) complaints.push(`after the responses the client got ${show(rest)}, not ${show(tunnel)}`)
  return [...complaints, ...judgeEnd(expected, side)]
}

function judgeEnd(expected: Expected, side: ClientSide): string[] {
  return expected.connection === 'closed' && side.ending === 'open' ? ['the connection was not closed'] : []
}

function judgeResponse(want: ExpectedResponse, seen: SeenResponse, closed: boolean): string[] {
  const complaints = judgeMessage(want, seen, closed)
  if (seen.fault !== null) complaints.push(`malformed: ${seen.fault}`)
  const status = statusOf(seen)
  if (![want.status].flat().includes(status)) complaints.push(`status ${status}, not ${want.status}`)
  if (want.line !== undefined && seen.startLine !== want.line) complaints.push(`line ${show(seen.startLine)}, not ${show(want.line)}`)
  const informs = seen.informs.map(statusOf).join()
  const wantedInforms = want.informs ?? /^$/
  if (!wantedInforms.test(informs)) complaints.push(`1xx before it ${show(informs)}, not ${wantedInforms}`)
  const informLines = seen.informs.flatMap((inform) => inform.lines)
  for (const line of want.informHas ?? []) if (!informLines.includes(line)) complaints.push(`no ${show(line)} in a 1xx`)
  return complaints
}

function judgeMessage(want: ExpectedMessage, seen: Message, closed: boolean): string[] {
  const complaints = [...judgeLines(want, seen.lines)]
  if (want.whole === false) {
    if (seen.complete) complaints.push('it looks whole, and was cut')
    else if (!closed) complaints.push('its connection was not ended')
  } else if (!seen.complete) complaints.push('it is not whole')
  if (want.body !== undefined && seen.body !== want.body) complaints.push(`body ${show(seen.body)}, not ${show(want.body)}`)
  if (want.bodyBytes !== undefined && seen.body.length !== want.bodyBytes)
    complaints.push(`body of ${seen.body.length} bytes, not ${want.bodyBytes}`)
  if (want.framing !== undefined && ![want.framing].flat().includes(seen.framing))
    complaints.push(`framing ${seen.framing}, not ${want.framing}`)
  if (want.trailers !== undefined && seen.trailers.join('\n') !== want.trailers.join('\n'))
    complaints.push(`trailers ${show(seen.trailers.join(' | '))}, not ${show(want.trailers.join(' | '))}`)
  return complaints
}

function judgeLines(want: ExpectedMessage, lines: readonly string[]): string[] {
  const complaints: string[] = []
  let at = 0
  for (const line of want.has ?? []) {
    const found = lines.indexOf(line, at)
    if (found >= 0) at = found + 1
    else complaints.push(lines.includes(line) ? `${show(line)} is out of order` : `no ${show(line)}${nearly(line, lines)}`)
  }
  for (const name of want.lacks ?? []) {
    const found = lines.find((line) => nameOf(line) === name.toLowerCase())
    if (found !== undefined) complaints.push(`there is ${show(found)}`)
  }
  for (const [name, value] of Object.entries(want.fields ?? {})) {
    const seen = valuesOf(lines, name).join(', ')
    if (typeof value === 'string' ? seen !== value : !value.test(seen)) complaints.push(`${name} ${show(seen)}, not ${value}`)
  }
  return complaints
}

function nearly(line: string, lines: readonly string[]): string {
  const same = lines.filter((other) => nameOf(other) === nameOf(line))
  return same.length === 0 ? '' : ` but ${same.map(show).join(', ')}`
}

export function responsesOf(expected: Expected): readonly ExpectedResponse[] {
  if (typeof expected.client === 'string') return []
  return Array.isArray(expected.client) ? (expected.client as readonly ExpectedResponse[]) : [expected.client as ExpectedResponse]
}

/** Quoted and short. */
export function show(text: string): string {
  const quoted = JSON.stringify(text)
  return quoted.length > 900 ? `${quoted.slice(0, 900)}… (${text.length} bytes)` : quoted
}
