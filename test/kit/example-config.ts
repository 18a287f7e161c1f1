/** The example configurations as they are, but on other ports and only on loopback, so that a test can run them on any machine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Moved {
  /** The repository that `cwd: ..` means. */
  readonly root: string
  /** Port in the example (8080 and 9902, baton's defaults, etcd's 2379 and Redis's 6379 among them) → port to use; 0 for what is not here. */
  readonly ports?: Readonly<Record<number, number>>
  /** In place of /tmp. */
  readonly tmp?: string
}

export function exampleConfig(name: string, { root, ports = {}, tmp = '/tmp' }: Moved): string {
  return withListeners(readFileSync(join(root, 'config', name), 'utf8'))
    .replace(/(?<=:|port: )(8080|9902|2379|6379|639\d|30\d\d)\b/g, (port) => String(ports[Number(port)] ?? 0))
    .replaceAll('cwd: ..', `cwd: ${JSON.stringify(root)}`)
    .replaceAll('0.0.0.0', '127.0.0.1')
    .replaceAll('/tmp/', `${tmp}/`)
}

/** An example that leaves the listeners to their defaults gets them written out: the defaults are fixed ports. */
function withListeners(text: string): string {
  if (text.includes('listeners:')) return text
  const listeners = '  listeners: { public: { address: 0.0.0.0:8080 }, metrics: { address: 0.0.0.0:9902 } }\n'
  return text.includes('\nbootstrap:\n') ? text.replace('\nbootstrap:\n', `\nbootstrap:\n${listeners}`) : `bootstrap:\n${listeners}${text}`
}
