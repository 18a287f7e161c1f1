/** etcd's way to say no. */
import { errorMessage } from '../../errors.ts'
import { type Json, mappingOf, parse } from './gateway-json.ts'

/** gRPC's codes (google.golang.org/grpc/codes), as the gateway gives them. */
const grpc = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  failedPrecondition: 9,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
}

/** etcd answered, and said no. */
export class EtcdRefusal extends Error {
  readonly #code: number

  constructor(code: number, message: string) {
    super(message)
    this.#code = code
  }

  get tokenEnded(): boolean {
    return this.#code === grpc.unauthenticated || /invalid auth token|revision of auth store is old/.test(this.message)
  }

  get unknownUser(): boolean {
    return /user name is empty|user name not found|permission denied/.test(this.message)
  }

  get commonName(): boolean {
    return isOfCommonName(this.message)
  }

  /** Another member may say something else. */
  get elsewhere(): boolean {
    return (
      // a member that ends says so of what it was doing
      this.#code === grpc.cancelled ||
      this.#code === grpc.unavailable ||
      this.#code === grpc.deadlineExceeded ||
      this.#code === grpc.internal ||
      /no leader|timed out/.test(this.message)
    )
  }
}

/** What an answer that is no success says. */
export function failureOf(status: number, text: string): Error {
  if (isOfCommonName(text)) return new EtcdRefusal(grpc.invalidArgument, text.trim())
  const refusal = refusalIn(text)
  return refusal ?? new Error(`an answer that etcd does not give: status ${status}, ${JSON.stringify(text.slice(0, 200))}`)
}

function refusalIn(text: string): EtcdRefusal | null {
  const answer = jsonIn(text)
  // 3.4 and 3.5 say {error, message, code}; a stream {error: {grpc_code, message}}; 3.6 {code, message, details}.
  const error = typeof answer.error === 'object' && answer.error !== null ? mappingOf(answer.error) : answer
  const code = error.grpc_code ?? error.code
  const message = error.message ?? error.error
  return typeof code === 'number' && message !== undefined ? new EtcdRefusal(code, String(message)) : null
}

function jsonIn(text: string): Json {
  try {
    return parse(text)
  } catch {
    return {} // a page of who knows what: its status and its text tell more than that it is no JSON
  }
}

/** With users and --client-cert-auth the gateway turns every such certificate away, in plain text and before it asks for a user. */
function isOfCommonName(text: string): boolean {
  return text.startsWith('CommonName of client')
}

export function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] !== undefined) return errorMessage(error.errors[0])
  return errorMessage(error)
}
