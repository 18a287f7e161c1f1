/** However it is written, baton's own address is no app's: whoever writes the dynamic half must not reach the admin API through baton. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { faultsOf, minimal, parse } from './fixture.ts'

function bootstrap(): string {
  return `bootstrap: { listeners: { public: { address: "127.0.0.1:8080" }, metrics: { address: "127.0.0.1:9902" } }, state: /srv/.baton }\n`
}

function complaintOf(endpoint: string): string {
  const [fault] = faultsOf(`${bootstrap()}versions: { v1: { ${endpoint} } }\nstable: v1\n`)
  return `${fault?.path}: ${fault?.found}, ${fault?.expected}, ${fault?.hint}`
}

describe('an upstream that is baton itself is refused', () => {
  for (const host of [
    '127.0.0.1',
    'localhost',
    'LOCALHOST',
    '2130706433',
    '0x7f.1',
    '127.1',
    '127.0.0.1.',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
  ]) {
    test(`as http://${host}`, () => {
      assert.match(complaintOf(`url: "http://${host}:9902"`), /^versions\.v1\.url: an address of baton itself, .*the metrics listener/)
    })
  }

  test('as an address of a listener on all addresses, by each of this machine’s own', () => {
    for (const host of ['127.9.9.9', '[::1]', '[::ffff:127.9.9.9]']) {
      const text = `bootstrap: { listeners: { public: { address: ":8080" } } }\nversions: { v1: { url: "http://${host}:8080" } }\nstable: v1\n`
      assert.match(faultsOf(text)[0]?.hint ?? '', /the public listener/, host)
    }
  })

  test('as the admin socket', () => {
    assert.match(complaintOf('socket: /srv/.baton/admin.sock'), /^versions\.v1\.socket: an address of baton itself, .*the admin socket/)
  })

  for (const path of ['/srv/x/../.baton/admin.sock', '/srv//.baton/admin.sock', '/srv/.baton/./admin.sock', '//srv/.baton/admin.sock']) {
    test(`as ${path}: a path has one text`, () => {
      assert.match(complaintOf(`socket: ${path}`), /without \/\/, \/\.\/ and \/\.\.\/, write \/srv\/\.baton\/admin\.sock/)
    })
  }

  test('and an app beside it is not', () => {
    for (const endpoint of ['url: "http://[::ffff:127.0.0.1]:9903"', 'url: "http://127.0.0.2:9902"', 'socket: /srv/.baton/app.sock']) {
      parse(`${bootstrap()}versions: { v1: { ${endpoint} } }\nstable: v1\n`)
    }
    parse(`${bootstrap()}${minimal}`)
  })
})
