/** An authority of the test's own, and the certificates that it gives, made by openssl; their files in `folder`. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export interface Certificate {
  /** PEM files. */
  readonly cert: string
  readonly key: string
}

export interface Authority {
  /** PEM file of its own certificate. */
  readonly ca: string
  /** For a server on loopback and for a client, both; null is without a common name. */
  issue(commonName: string | null, names?: string): Certificate
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

export function createAuthority(folder: string, name = 'authority'): Authority {
  const own: Certificate = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  const make = (to: Certificate, ...args: readonly string[]): void => {
    execFileSync('openssl', ['req', '-x509', ...curve, ...args, '-keyout', to.key, '-out', to.cert], { stdio: 'pipe' })
  }
  make(own, '-subj', `/CN=${name}`)
  return {
    ca: own.cert,
    issue(commonName, names = 'DNS:localhost,IP:127.0.0.1') {
      const file = join(folder, `${name}-${commonName ?? 'nameless'}`)
      const issued = { cert: `${file}.pem`, key: `${file}.key` }
      const extensions = [`subjectAltName=${names}`, 'extendedKeyUsage=serverAuth,clientAuth']
      const added = extensions.flatMap((extension) => ['-addext', extension])
      make(issued, '-CA', own.cert, '-CAkey', own.key, '-subj', commonName === null ? '/O=baton' : `/CN=${commonName}`, ...added)
      return issued
    },
  }
}
