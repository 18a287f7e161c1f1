/** The keys of `bootstrap.config.etcd`: where the dynamic half comes from, if not from the file. */
import { z } from 'zod'
import { readEtcdEndpoint, readEtcdPrefix } from './etcd-text.ts'
import { bothFault } from './mapping-rules.ts'
import { Misread } from './misread.ts'
import { file, leaf, name, rule, text, tlsFiles } from './schema-values.ts'

const tls = rule(z.strictObject(tlsFiles('etcd')), (given) => bothFault(given, 'cert', 'key'))

const keys = rule(
  z.strictObject({
    endpoints: z
      .array(leaf(readEtcdEndpoint, { type: 'string', pattern: '^https?://' }))
      .min(1)
      .max(16)
      .describe('http://HOST:PORT or https://HOST:PORT of the members; one that does not answer is left for the next.'),
    prefix: leaf(readEtcdPrefix, { type: 'string', pattern: '^/.*[^/]$' }).describe(
      'What all keys of this app begin with: PREFIX/config, PREFIX/history/, PREFIX/instances/, PREFIX/upgrade.',
    ),
    user: text({ expected: 'the name of an etcd user', pattern: /^[^\p{Cc}]+$/u, max: 256 })
      .optional()
      .describe('Where etcd has authentication on.'),
    passwordFile: file.optional().describe("File with its password, mode 0600, relative to the configuration file's folder."),
    tls: tls.optional().describe('For https endpoints.'),
    instance: name
      .optional()
      .describe("What this baton is called in the fleet; no two may have one name. Without it, the host's name and the public port."),
  }),
  (given) => bothFault(given, 'user', 'passwordFile'),
)

export const etcd = rule(keys, ({ endpoints, tls }) => {
  const isPlain = endpoints.some((endpoint) => typeof endpoint === 'string' && endpoint.startsWith('http://'))
  return tls !== undefined && isPlain ? new Misread('https:// endpoints with tls', null, 'range', 'tls beside an http:// endpoint') : null
})
