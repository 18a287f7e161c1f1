/** The transport through undici keeps the contract, over TCP and over a Unix socket. */
import { createUndiciTransport } from '../../../src/upstream/transport/undici.ts'
import { transportContract } from '../../contract/transport.ts'

/** undici's dispatch sends no request trailers, and closes after HEAD and after a 304 with a length, lest an app sends a body there. */
const deviations = { noRequestTrailers: true, noReuseAfter: ['HEAD', '304'] }

for (const kind of ['tcp', 'unix'] as const) transportContract(`undici over ${kind}`, kind, createUndiciTransport, deviations)
