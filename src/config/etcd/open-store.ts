/** From the settings to the store: the secrets' files are read here. */
import { readFile } from 'node:fs/promises'
import { BatonError, errorMessage } from '../../errors.ts'
import type { World } from '../../world.ts'
import { readSecret } from '../secret-file.ts'
import type { EtcdSettings } from '../settings.ts'
import type { Store } from './store.ts'

/** Nothing is connected yet. @throws BatonError `start` for a file that cannot be used. */
export async function openStore({ endpoints, login, tls }: EtcdSettings, world: Pick<World, 'after' | 'random'>): Promise<Store> {
  const password = async (): Promise<string> => (login === null ? '' : await named('passwordFile', () => readSecret(login.passwordFile, 1)))
  const [, ca, cert, key] = await Promise.all([
    password(),
    pem('tls.ca', tls?.ca),
    pem('tls.cert', tls?.cert),
    named('tls.key', async () => (tls === null || tls.key === null ? null : await readSecret(tls.key, 1, 64 * 1024))),
  ])
  // undici, whole: only where there is an etcd.
  const { EtcdGateway } = await import('./gateway.ts')
  return new EtcdGateway(
    { endpoints, login: login === null ? null : { user: login.user, password }, tls: tls === null ? null : { ca, cert, key } },
    world,
  )
}

function pem(name: string, path: string | null | undefined): Promise<string | null> {
  return named(name, async () => (path === null || path === undefined ? null : await readFile(path, 'utf8')))
}

async function named<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new BatonError('start', `bootstrap.config.etcd.${name}: ${errorMessage(error)}`, error)
  }
}
