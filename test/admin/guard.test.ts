/** Who may use the admin listeners. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { answerText } from '../../src/admin/answer.ts'
import { socketGuard, tokenGuard } from '../../src/admin/guard.ts'
import { readToken } from '../../src/admin/token.ts'
import { BatonError } from '../../src/errors.ts'
import { serve } from './running.ts'

const token = '0123456789abcdef'
const host = '127.0.0.1:9901'
const authorization = `Bearer ${token}`

async function setUp(t: TestContext) {
  const running = await serve({ 'GET /': (_, response) => answerText(response, 200, 'in') }, tokenGuard(token, [host, 'localhost:9901']))
  t.after(() => running.server.close())
  return async (headers: Record<string, string>) => {
    const { status, body } = await running.ask('GET', '/', { headers })
    return status === 200 ? 'in' : `${status} ${(JSON.parse(body) as { error: { code: string } }).error.code}`
  }
}

describe('the guard', () => {
  test('lets in who has the token and calls the listener by its name', async (t) => {
    const come = await setUp(t)
    assert.equal(await come({ host, authorization }), 'in')
    assert.equal(await come({ host: 'LOCALHOST:9901', authorization }), 'in')
  })

  test('keeps out another token, none, part of it, more than it, and another scheme', async (t) => {
    const come = await setUp(t)
    for (const wrong of [`Bearer ${'x'.repeat(16)}`, '', 'Bearer', `Bearer ${token.slice(1)}`, `Bearer ${token}x`, `Basic ${token}`, token])
      assert.equal(await come({ host, authorization: wrong }), '401 token', wrong)
    assert.equal(await come({ host }), '401 token')
  })

  test('keeps out a name that leads here from elsewhere (DNS rebinding), with the right token too', async (t) => {
    const come = await setUp(t)
    for (const name of ['evil.example:9901', '127.0.0.1', 'localhost', '127.0.0.1:9902', 'localhost:9901.evil.example'])
      assert.equal(await come({ host: name, authorization }), '403 host', name)
  })

  test('keeps out web pages, of whatever origin', async (t) => {
    const come = await setUp(t)
    for (const origin of ['http://127.0.0.1:9901', 'null', ''])
      assert.equal(await come({ host, authorization, origin }), '403 origin', origin)
  })
})

describe('the token’s file', () => {
  test('that is no secret stops the start, with the key that names it', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-token-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'token')
    writeFileSync(path, `${token}\n`, { mode: 0o600 })
    assert.equal(await readToken(path), token)
    chmodSync(path, 0o644)
    await assert.rejects(
      readToken(path),
      (error) => error instanceof BatonError && error.code === 'start' && /^bootstrap\.admin\.tokenFile .*mode is 644/.test(error.message),
    )
  })
})

test('the admin socket is closed to what comes through a baton', async (t) => {
  const running = await serve({ 'GET /': (_request, response) => void response.end() }, socketGuard)
  t.after(() => running.server.close())
  assert.equal((await running.ask('GET', '/')).status, 200)
  for (const headers of [{ 'baton-version': 'v1' }, { 'Baton-Version': '' }]) {
    const { status, body } = await running.ask('GET', '/', { headers })
    assert.equal(status, 403)
    assert.match(body, /"proxied"/)
  }
})
