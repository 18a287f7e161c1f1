/** Bytes that are no RESP. The message is what Redis answers, without the leading `-ERR `: "Protocol error: invalid bulk length". */
export class ProtocolError extends Error {
  constructor(what: string) {
    super(`Protocol error: ${what}`)
    this.name = 'ProtocolError'
  }
}
