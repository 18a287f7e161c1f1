/** What a client is answered when an exchange fails, and why a command ends. */
import { BatonError, type BatonErrorCode, Fault, type FaultCode } from '../../src/errors.ts'
import { faultAnswers } from '../../src/proxy/respond.ts'
import { code, generated, table } from './markdown.ts'

const faultMeaning: Readonly<Record<FaultCode, string>> = {
  'bad-request': 'The request is malformed, or could be read in two ways. Nothing of it reached the app.',
  'uri-too-long': 'The target is longer than `limits.uriBytes`.',
  'head-too-large':
    'The head is larger than `limits.headerBytes`, has more fields than `limits.headerCount`, or a `Connection` above 1 KiB.',
  'body-too-large': 'The body is larger than `limits.bodyBytes`.',
  'expectation-failed': '`Expect` asks for something other than `100-continue`.',
  'method-not-supported': 'A method that baton does not pass on, such as `CONNECT`.',
  'version-not-supported': 'The request’s HTTP version is not one that baton speaks.',
  'client-timeout': 'The client was too slow with its head or its body.',
  'client-gone': 'The client left before the answer’s end; the app’s work was stopped.',
  'not-serving': 'Neither the target nor its fallback serves.',
  'limit-reached': '`limits.exchanges` and `limits.queue` are full.',
  'queue-timeout': 'The request waited for `limits.queueTimeout` and no place fell free.',
  stopping: 'baton is ending.',
  'connect-failed': 'No connection to the app could be opened.',
  'connect-timeout': 'No connection to the app within `timeouts.connect`.',
  'head-timeout': 'No response head within `timeouts.head`.',
  'idle-timeout': 'No byte either way for `timeouts.idle`.',
  'exchange-timeout': 'The exchange took longer than `timeouts.exchange`.',
  'upstream-reset': 'The app closed the connection before its answer was whole.',
  'upstream-protocol': 'The app’s answer is not HTTP, or could be read in two ways.',
  internal: 'A defect of baton’s own.',
}

const commandMeaning: Readonly<Record<BatonErrorCode, string>> = {
  usage: 'The command was called wrongly.',
  config: 'The configuration is wrong; every fault is listed.',
  bind: 'An address cannot be bound.',
  locked: 'Another baton uses the state folder.',
  unsupported: 'This platform or this build cannot do it.',
  unreachable: 'No baton answers, or no etcd.',
  denied: 'etcd does not let baton, or you, do that.',
  refused: 'baton answered, and refused; nothing changed.',
  state: 'The state folder cannot be used.',
  start: 'baton, or an app, could not be started.',
}

export function errorsPage(): string {
  return `# Errors reference

${generated}

## Answers that baton gives itself

Such an answer has a \`baton-error\` header, \`CODE; detail\`, and one line of text as its body. baton never answers 404 of its own. A response that had begun cannot take
its status back: it is cut, and the client sees that it is not whole.

${table(['code', 'status', 'retry-after', 'connection', 'whose doing', 'meaning'], faultRows())}

Whose doing it was sets the log level: \`client\` is debug, \`upstream\` and \`operator\` are warn, \`baton\` is error.

## Why a command ends

${table(['code', 'exit code', 'meaning'], commandRows())}
`
}

function faultRows(): string[][] {
  const codes = Object.keys(faultAnswers) as FaultCode[]
  return codes.map((name) => {
    const { status, reason, retryAfterS, close } = faultAnswers[name]
    const answer = status === null ? 'none' : `${status} ${reason}`
    const retry = retryAfterS === null ? '' : `${retryAfterS} s`
    return [code(name), answer, retry, close ? 'closed' : 'kept', new Fault(name, '').blame, faultMeaning[name]]
  })
}

function commandRows(): string[][] {
  const codes = Object.keys(commandMeaning) as BatonErrorCode[]
  return codes.map((name) => [code(name), String(new BatonError(name, '').exit), commandMeaning[name]])
}
