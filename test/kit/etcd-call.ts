/** What an operator does to an etcd, said to its gateway as etcdctl would say it over gRPC. */
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { json } from 'node:stream/consumers'
import type { Certificate } from './authority.ts'

export interface Caller {
  readonly url: string
  /** PEM files. */
  readonly tls?: { readonly ca: string } & Partial<Certificate>
  readonly token?: string
}

type Fields = Readonly<Record<string, unknown>>

/** `path` after `/v3/`. @throws what etcd says no with. */
export function etcdCall({ url, tls, token }: Caller, path: string, body: Fields = {}): Promise<Fields> {
  const files = Object.fromEntries(Object.entries(tls ?? {}).map(([name, file]) => [name, readFileSync(file)]))
  const headers = token === undefined ? {} : { authorization: token }
  const ask = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = ask(`${url}/v3/${path}`, { method: 'POST', agent: false, headers, ...files }, (response) => {
      json(response).then((answer) => {
        if (response.statusCode === 200) resolve(answer as Fields)
        else reject(new Error(`etcd ${path}: ${response.statusCode} ${JSON.stringify(answer)}`))
      }, reject)
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** The store's revision at which it was written. */
export async function etcdPut(caller: Caller, key: string, value: string | Buffer): Promise<number> {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const { header } = await etcdCall(caller, 'kv/put', { key: base64(key), value: bytes.toString('base64') })
  return Number((header as Fields).revision)
}

/** Null if it is not there. */
export async function etcdGet(caller: Caller, key: string): Promise<string | null> {
  const { kvs } = await etcdCall(caller, 'kv/range', { key: base64(key) })
  const [entry] = (kvs ?? []) as readonly { readonly value?: string }[]
  return entry === undefined ? null : Buffer.from(entry.value ?? '', 'base64').toString()
}

export async function etcdDelete(caller: Caller, key: string): Promise<void> {
  await etcdCall(caller, 'kv/deleterange', { key: base64(key) })
}

/** What was overwritten before `revision` is gone. */
export async function etcdCompact(caller: Caller, revision: number): Promise<void> {
  await etcdCall(caller, 'kv/compaction', { revision: String(revision), physical: true })
}

export async function etcdLogin(caller: Caller, name: string, password: string): Promise<Caller> {
  const { token } = await etcdCall(caller, 'auth/authenticate', { name, password })
  return { ...caller, token: String(token) }
}

/** As etcdctl writes it: a key alone, or with `prefix` all that begin with it. */
export interface Grant {
  /** `read`, `write` or `readwrite` */
  readonly right: string
  readonly key: string
  readonly prefix?: boolean
}

export async function etcdRole(caller: Caller, role: string, grants: readonly Grant[]): Promise<void> {
  await etcdCall(caller, 'auth/role/add', { name: role })
  for (const grant of grants) await etcdPermit(caller, role, grant)
}

export async function etcdPermit(caller: Caller, role: string, { right, key, prefix = false }: Grant): Promise<void> {
  const last = Buffer.from(key)
  last.writeUInt8((last.at(-1) ?? 0) + 1, last.length - 1)
  const range = prefix ? { range_end: last.toString('base64') } : {}
  await etcdCall(caller, 'auth/role/grant', { name: role, perm: { permType: right.toUpperCase(), key: base64(key), ...range } })
}

export async function etcdUser(caller: Caller, name: string, password: string, role: string): Promise<void> {
  await etcdCall(caller, 'auth/user/add', { name, password })
  await etcdCall(caller, 'auth/user/grant', { user: name, role })
}

/** From here on every call needs a user; resolves to root's. */
export async function enableEtcdAuth(caller: Caller, rootPassword = 'root-password'): Promise<Caller> {
  await etcdUser(caller, 'root', rootPassword, 'root')
  await etcdCall(caller, 'auth/enable')
  return await etcdLogin(caller, 'root', rootPassword)
}
