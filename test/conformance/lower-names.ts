/** haproxy sends every field name in lower case, as RFC 9110 §5.1 lets it: its cases ask for the same lines in that form. */
import type { Case, Expected, ExpectedMessage } from './case.ts'

export function withLowerNames(testCase: Case): Case {
  return { ...testCase, expect: lowered(testCase.expect) }
}

function lowered(expected: Expected): Expected {
  const { app, client } = expected
  return {
    ...expected,
    app: typeof app === 'string' ? app : [app].flat().map((message) => lowerMessage(message)),
    client: typeof client === 'string' ? client : [client].flat().map((message) => lowerMessage(message)),
  }
}

function lowerMessage<T extends ExpectedMessage>(message: T): T {
  const lines = message.has === undefined ? {} : { has: message.has.map(lowerName) }
  const trailers = message.trailers === undefined ? {} : { trailers: message.trailers.map(lowerName) }
  return { ...message, ...lines, ...trailers }
}

function lowerName(line: string): string {
  const colon = line.indexOf(':')
  return line.slice(0, colon).toLowerCase() + line.slice(colon)
}
