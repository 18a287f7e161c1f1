/** From `bootstrap.redis` as it is written to its settings: paths made absolute, one form for a URL and for sentinels. */
import { resolve } from 'node:path'
import type { BootstrapDocument } from './schema.ts'
import type { RedisLogin, RedisPlace, RedisSettings } from './settings.ts'

type RedisDocument = NonNullable<BootstrapDocument['redis']>

export function settleRedis(document: RedisDocument, folder: string): RedisSettings {
  const { url, sentinels, tls, gateways, names } = document
  const file = (path: string | undefined) => (path === undefined ? null : resolve(folder, path))
  const withTls = tls ?? (url?.isTls ? {} : undefined)
  return {
    place: placeOf(document, folder),
    database: url?.database ?? sentinels?.database ?? 0,
    login: settleLogin(document, folder),
    tls: withTls
      ? { ca: file(withTls.ca), cert: file(withTls.cert), key: file(withTls.key), serverName: withTls.serverName ?? null }
      : null,
    gateways: Object.fromEntries(
      Object.entries(gateways).map(([version, { address, mode = '0600' }]) => [version, { address, mode: Number.parseInt(mode, 8) }]),
    ),
    names: file(names),
  }
}

function placeOf({ url, sentinels }: RedisDocument, folder: string): RedisPlace {
  if (url) return url.place
  if (!sentinels) throw new TypeError('a Redis without url and sentinels')
  const { master, addresses } = sentinels
  return { is: 'sentinels', master, addresses, login: settleLogin(sentinels, folder) }
}

function settleLogin(given: { user?: string | undefined; passwordFile?: string | undefined }, folder: string): RedisLogin | null {
  const { user, passwordFile } = given
  return passwordFile === undefined ? null : { user: user ?? null, passwordFile: resolve(folder, passwordFile) }
}
