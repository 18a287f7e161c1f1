/** etcd's way to say no. */
import { errorMessage } from '../../errors.ts'
import { type Json, mappingOf } from './gateway-json.ts'

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

export function failureOf(status: number, answer: Json, text: string): Error {
  // 3.4 and 3.5 say {error, message, code}; a stream {error: {grpc_code, message}}; 3.6 {code, message, details}.
  const error = typeof answer.error === 'object' && answer.error !== null ? mappingOf(answer.error) : answer
  const code = error.grpc_code ?? error.code
  const message = error.message ?? error.error
  if (typeof code === 'number' && message !== undefined) return new EtcdRefusal(code, String(message))
  return new Error(`an answer that etcd does not give: status ${status}, ${JSON.stringify(text.slice(0, 200))}`)
}

export function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] !== undefined) return errorMessage(error.errors[0])
  return errorMessage(error)
}
