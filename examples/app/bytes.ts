/** GET /bytes?n=1000000: that many bytes, up to 4 GiB, no faster than the client reads. Byte number i is i mod 251, so a cut or a repeat shows. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { sendText } from './reply.ts'
import type { Page } from './routes.ts'
import { wholeNumber } from './whole-number.ts'

const maxBytes = 4 * 1024 ** 3
/** Prime, and no divisor of any buffer's size. */
const period = 251
const block = Uint8Array.from({ length: period * 256 }, (_, index) => index % period)

export const sendBytes: Page = async (request, response, query) => {
  const count = wholeNumber(query.get('n') ?? '1024', maxBytes)
  if (count === null) return sendText(response, 400, `n: expected a whole number up to ${maxBytes}`)
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': count })
  if (request.method === 'HEAD') return void response.end()
  await pipeline(Readable.from(blocks(count), { objectMode: false }), response)
}

function* blocks(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block
}
