/** What is asked of each proxy: four shapes of exchange. */
export interface Workload {
  readonly name: string
  readonly title: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Bytes of the response body (GET) or of the request body (POST). */
  readonly bytes: number
}

export const workloads: readonly Workload[] = [
  { name: 'small', title: 'GET 100 B', method: 'GET', path: '/small', bytes: 100 },
  { name: '64k', title: 'GET 64 KB', method: 'GET', path: '/64k', bytes: 65_536 },
  { name: '1m', title: 'GET 1 MB', method: 'GET', path: '/1m', bytes: 1_048_576 },
  { name: 'post', title: 'POST 16 KB', method: 'POST', path: '/post', bytes: 16_384 },
]

/** Printable and the same in every run, so that a body can be told from another by its hash. */
export function bodyOf(bytes: number): Buffer {
  const line = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-'
  const body = Buffer.alloc(bytes)
  for (let at = 0, state = bytes; at < bytes; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    body[at] = line.charCodeAt((state >> 16) & 63)
  }
  return body
}
