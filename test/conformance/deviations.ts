/**
 * What the node stack cannot keep, case by case: why, and what it does instead, which the case then asserts. So a case here that begins to
 * keep its promise fails, and the list stays as short as it can be.
 */
import type { Case, Expected } from './case.ts'
import { post } from './wire.ts'

export interface Deviation {
  readonly why: string
  /** In place of what the case does and expects. */
  readonly expect: Partial<Expected>
  readonly send?: Case['send']
}

const unknownMethod: Deviation = {
  why: "node:http's parser knows a fixed list of methods, in capitals",
  expect: { app: 'nothing', client: { status: 501 }, connection: 'closed' },
}

const manySpaces: Deviation = {
  why: "node:http's parser skips spaces in a request line; what it read is sent on in one reading",
  expect: {
    app: [{ line: 'GET / HTTP/1.1' }, { line: 'GET /smuggled HTTP/1.1' }],
    client: [{ status: 200 }, { status: 200 }],
    connection: 'kept',
  },
}

const asterisk: Deviation = {
  why: 'undici takes no target but a path, so baton answers for the app',
  expect: { app: 'nothing', client: { status: 204 } },
}

const destroys100: Deviation = {
  why: 'undici destroys a connection that brings a 100; baton never asks for one, since it answers Expect itself',
  expect: { app: 'anything', client: { status: 502, informs: /^(100)?$/ } },
}

/** By `group: case`. */
export const deviations: Readonly<Record<string, Deviation>> = {
  'framing: heads: an unknown method is forwarded': unknownMethod,
  'framing: heads: methods are told apart by case': unknownMethod,
  'framing: heads: two spaces before the target': manySpaces,
  'framing: heads: two spaces before the version': manySpaces,
  'framing: targets: OPTIONS * is forwarded as it is': asterisk,
  'framing: targets: OPTIONS of an absolute target without a path becomes *': asterisk,
  'request fields: Expect: 100-continue and an app that sends the 100 itself': destroys100,
  'responses: a 100 that nobody asked for does no harm': destroys100,
  'request fields: Expect: 100-continue and an app that refuses by the head alone: no 100': {
    why: "undici sends a head together with its body's first byte, so baton asks the client for the body first",
    expect: { client: { status: 401, body: 'who', informs: /^100$/ } },
  },
  'streaming: the head of an upload reaches the app before its body is there': {
    why: "undici sends a head together with its body's first byte",
    send: post('/up', 'hello'),
    expect: {},
  },
  'request fields: trailers of a request reach the app': {
    why: 'undici sends no trailers',
    expect: { app: { body: 'hello', framing: 'chunked', trailers: [] } },
  },
  'answers that cannot be used: HTTP/2.0': {
    why: "undici's parser takes the version for 1.1, and does not tell it",
    expect: { client: { status: 200, line: 'HTTP/1.1 200 OK' } },
  },
}
