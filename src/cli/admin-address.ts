/** Where the running baton is asked: `--admin PATH|URL`, else $BATON_STATE/admin.sock, else ./.baton/admin.sock. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BatonError, errorMessage } from '../errors.ts'
import type { World } from '../world.ts'

export const adminOptions = { admin: { type: 'string' }, 'token-file': { type: 'string' } } as const

export const adminUsage = `  --admin PATH|URL    baton's admin socket, or http://127.0.0.1:9901;
                      else $BATON_STATE/admin.sock, else ./.baton/admin.sock
  --token-file FILE   for a URL: the file with its token; else $BATON_ADMIN_TOKEN`

export type AdminAddress =
  | { readonly is: 'unix'; readonly path: string }
  | { readonly is: 'tcp'; readonly host: string; readonly port: number; readonly token: string }

/** @throws BatonError `usage`. */
export function adminAddress(values: { readonly admin?: string; readonly 'token-file'?: string }, world: World): AdminAddress {
  const given = values.admin
  if (given === undefined) return { is: 'unix', path: join(world.env.BATON_STATE || '.baton', 'admin.sock') }
  if (!/^[a-z]+:\/\//i.test(given)) return { is: 'unix', path: given }
  const url = URL.parse(given)
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.username !== '') {
    throw new BatonError('usage', `--admin ${given}: expected a path, or a URL like http://127.0.0.1:9901`)
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { is: 'tcp', host, port: Number(url.port || 80), token: token(values['token-file'], world) }
}

function token(file: string | undefined, world: World): string {
  const found = file === undefined ? world.env.BATON_ADMIN_TOKEN : readToken(file)
  if (found === undefined || found === '')
    throw new BatonError('usage', 'an admin URL needs a token: --token-file FILE, or BATON_ADMIN_TOKEN')
  return found
}

function readToken(file: string): string {
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw new Error('other users can read it; chmod 0600')
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new BatonError('usage', `--token-file ${file}: ${errorMessage(error)}`, error)
  }
}
