/** Who may use an admin listener. The Unix socket is guarded by its mode; TCP by a token, and by checks that keep a browser out. */
import { timingSafeEqual } from 'node:crypto'
import type { BindAddress } from '../config/settings.ts'
import { showAddress } from '../config/show-address.ts'
import type { Guard } from './http-server.ts'

export const openGuard: Guard = () => null

/**
 * Of the Unix socket. baton itself may open it, so a version whose socket leads here by another path (a link, /proc) would hand the admin
 * API to every client: what comes through a baton is known by the header that each app gets, and that no client can send or take away.
 */
export const socketGuard: Guard = ({ headers }) =>
  headers['baton-version'] === undefined ? null : { status: 403, code: 'proxied', message: 'not for what comes through a baton' }

/**
 * `hosts`: the values of Host that name this listener; any other comes through DNS rebinding. A request with an Origin comes from a page.
 * No cookies are read, so there is nothing to forge.
 */
export function tokenGuard(token: string, hosts: readonly string[]): Guard {
  const expected = Buffer.from(`Bearer ${token}`)
  return ({ headers }) => {
    if (!hosts.includes((headers.host ?? '').toLowerCase()))
      return { status: 403, code: 'host', message: `Host must be one of ${hosts.join(', ')}` }
    if (headers.origin !== undefined) return { status: 403, code: 'origin', message: 'not for web pages' }
    const given = Buffer.from(headers.authorization ?? '')
    const isRight = given.length === expected.length && timingSafeEqual(given, expected)
    return isRight
      ? null
      : { status: 401, code: 'token', message: 'Authorization: Bearer TOKEN is wanted, with the token of bootstrap.admin.tokenFile' }
  }
}

/** The values of Host that name a TCP admin listener. */
export function hostsOf(address: BindAddress): readonly string[] {
  return address.is === 'unix' ? [] : [showAddress(address), `localhost:${address.port}`]
}
