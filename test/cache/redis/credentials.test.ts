import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCredentials } from '../../../src/cache/redis/credentials.ts'
import type { RedisSettings } from '../../../src/config/settings.ts'
import { selfSigned } from '../../kit/self-signed.ts'

const redis: RedisSettings = {
  place: { is: 'tcp', host: '127.0.0.1', port: 1 },
  database: 0,
  login: null,
  tls: null,
  gateways: {},
  names: null,
}

test('PEM that is none is refused by its key at the start, and not at the first client', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { key, cert } = selfSigned(folder)
  const broken = join(folder, 'broken.pem')
  writeFileSync(broken, 'none\n')
  for (const file of [key, broken]) chmodSync(file, 0o600)
  const read = (tls: Partial<NonNullable<RedisSettings['tls']>>) =>
    readCredentials({ ...redis, tls: { ca: null, cert: null, key: null, serverName: null, ...tls } })
  assert.equal(typeof (await read({ ca: cert, cert, key })).tls?.key, 'string')
  await assert.rejects(read({ cert: broken, key }), { code: 'start', message: /^bootstrap\.redis\.tls: / })
  await assert.rejects(read({ cert, key: broken }), { code: 'start', message: /^bootstrap\.redis\.tls: / })
})
