/** The secrets of the way to Redis, out of their files. */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { readSecret } from '../../config/secret-file.ts'
import type { RedisLogin, RedisSettings } from '../../config/settings.ts'
import { BatonError, errorMessage } from '../../errors.ts'
import type { Tls } from './access.ts'

export interface Login {
  /** Null: the default user. */
  readonly user: string | null
  /** Null: none is asked for. */
  readonly password: string | null
}

export interface Credentials {
  readonly redis: Login
  /** To the sentinels themselves. */
  readonly sentinels: Login
  readonly tls: Tls | null
}

/** @throws BatonError `start` for a file that cannot be used, by its key */
export async function readCredentials({ login, place, tls }: RedisSettings): Promise<Credentials> {
  const [redis, sentinels, files] = await Promise.all([
    readLogin('passwordFile', login),
    readLogin('sentinels.passwordFile', place.is === 'sentinels' ? place.login : null),
    readTls(tls),
  ])
  return { redis, sentinels, tls: files }
}

async function readLogin(key: string, login: RedisLogin | null): Promise<Login> {
  if (login === null) return { user: null, password: null }
  return { user: login.user, password: await named(key, () => readSecret(login.passwordFile, 1)) }
}

async function readTls(settings: RedisSettings['tls']): Promise<Tls | null> {
  if (settings === null) return null
  const { ca, cert, key, serverName } = settings
  const pem = (path: string | null): Promise<string | null> => (path === null ? Promise.resolve(null) : readFile(path, 'utf8'))
  const [caText, certText, keyText] = await Promise.all([
    named('tls.ca', () => pem(ca)),
    named('tls.cert', () => pem(cert)),
    named('tls.key', async () => (key === null ? null : await readSecret(key, 1, 64 * 1024))),
  ])
  const usable = {
    ...(caText === null ? {} : { ca: caText }),
    ...(certText === null ? {} : { cert: certText }),
    ...(keyText === null ? {} : { key: keyText }),
    ...(serverName === null ? {} : { servername: serverName }),
  }
  // else each client's connection would throw it, where nobody catches it
  await named('tls', async () => createSecureContext(usable))
  return usable
}

async function named<T>(key: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new BatonError('start', `bootstrap.redis.${key}: ${errorMessage(error)}`, error)
  }
}
