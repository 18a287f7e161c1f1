/** Where a request goes: Host and the forms of the target (RFC 9112 §3.2, RFC 9110 §4, §7). */
import type { Case } from '../case.ts'
import { forwarded, refused, req } from '../wire.ts'

const host = 'Host: app.test'
const target = (text: string): string => req(`GET ${text} HTTP/1.1`, host)
const kept = (text: string): Case =>
  forwarded(`the target ${text} arrives as it is`, 'RFC 9110 §7.7', target(text), { line: `GET ${text} HTTP/1.1` })
const becomes = (name: string, sent: string, line: string): Case =>
  forwarded(name, 'RFC 9112 §3.2.2', req(sent, host), { line, fields: { host: /^app\.test$/i } })
const badHost = (value: string): Case => refused(`Host: ${value.trim()}`, 'RFC 9112 §3.2', req('GET / HTTP/1.1', `Host: ${value}`))
const goodHost = (value: string): Case =>
  forwarded(`Host: ${value} arrives as it is`, 'RFC 9110 §7.2', req('GET / HTTP/1.1', `Host: ${value}`), { fields: { host: value } })

export const framingTarget: readonly Case[] = [
  kept('/a%2Fb/%7e'),
  kept('//double//slash'),
  kept('/a/../b/./c'),
  kept('/?'),
  kept('/x??a=b&&='),
  kept('/%00'),
  kept('/;a=b,c:@!$'),
  kept('/x?next=http://other.test/'),
  forwarded('OPTIONS * is forwarded as it is', 'RFC 9112 §3.2.4', req('OPTIONS * HTTP/1.1', host), { line: 'OPTIONS * HTTP/1.1' }),

  becomes('an absolute target that agrees with Host is sent on in origin form', 'GET http://app.test/x?y HTTP/1.1', 'GET /x?y HTTP/1.1'),
  becomes('an absolute target without a path becomes /', 'GET http://app.test HTTP/1.1', 'GET / HTTP/1.1'),
  becomes('an absolute target with a query alone becomes /?query', 'GET http://app.test?x HTTP/1.1', 'GET /?x HTTP/1.1'),
  becomes('scheme and host of an absolute target are read in any case', 'GET HTTP://APP.test/x HTTP/1.1', 'GET /x HTTP/1.1'),
  forwarded('OPTIONS of an absolute target without a path becomes *', 'RFC 9112 §3.2.4', req('OPTIONS http://app.test HTTP/1.1', host), {
    line: 'OPTIONS * HTTP/1.1',
  }),
  refused('an absolute target that differs from Host', 'DESIGN §5', req('GET http://evil.test/ HTTP/1.1', host)),
  refused('an absolute target whose port differs from Host', 'DESIGN §5', req('GET http://app.test:81/ HTTP/1.1', host)),
  refused('an absolute target without Host', 'RFC 9112 §3.2', req('GET http://app.test/ HTTP/1.1')),
  refused('an absolute target with user information', 'RFC 9110 §4.2.4', req('GET http://me@app.test/ HTTP/1.1', host)),
  refused('an absolute target without a host', 'RFC 9110 §4.2.1', req('GET http:///x HTTP/1.1', host)),
  refused('an absolute target of another scheme', 'DESIGN §5', req('GET ftp://app.test/ HTTP/1.1', host)),

  refused('a fragment in the target', 'RFC 9112 §3.2', target('/a#b')),
  refused('a fragment in an absolute target', 'RFC 9112 §3.2', target('http://app.test/a#b')),
  refused('a target without a slash', 'RFC 9112 §3.2', target('a/b')),
  refused('a target that is a query', 'RFC 9112 §3.2', target('?a')),
  refused('an asterisk for GET', 'RFC 9112 §3.2.4', target('*')),
  refused('an authority for GET', 'RFC 9112 §3.2.3', target('app.test:80')),
  refused('a DEL in the target', 'RFC 9112 §3.2', target('/a\x7fb')),
  refused('a backslash for the slash', 'RFC 9112 §3.2', target('\\a')),
  refused('CONNECT', 'RFC 9110 §9.3.6', req('CONNECT app.test:80 HTTP/1.1', 'Host: app.test:80'), [400, 405, 501]),
  refused('CONNECT with an origin target', 'RFC 9112 §3.2.3', req('CONNECT / HTTP/1.1', host), [400, 405, 501]),

  refused('no Host', 'RFC 9112 §3.2', req('GET / HTTP/1.1')),
  refused('two Hosts that differ', 'RFC 9112 §3.2', req('GET / HTTP/1.1', host, 'Host: evil.test')),
  refused('two Hosts that agree', 'RFC 9112 §3.2', req('GET / HTTP/1.1', host, host)),
  refused('two Hosts, the second in lower case and further down', 'RFC 9112 §3.2', req('GET / HTTP/1.1', host, 'A: b', 'host: evil.test')),
  refused('two Hosts in HTTP/1.0', 'RFC 9112 §3.2', req('GET / HTTP/1.0', host, 'Host: evil.test')),
  badHost('a b'),
  badHost('app.test/x'),
  badHost('me@app.test'),
  badHost('app.test:port'),
  badHost('app.test:80:81'),
  badHost('[::1'),
  badHost('app.test, evil.test'),
  badHost('app.test?x'),
  badHost('app.test#x'),
  badHost('app.test\\x'),
  badHost('http://app.test'),
  badHost('a<b>'),
  badHost('caf\xe9.test'),
  goodHost('app.test:8080'),
  goodHost('[::1]:8080'),
  goodHost('127.0.0.1'),
  goodHost('APP.Test'),
  {
    name: 'HTTP/1.0 needs no Host, and the app gets one',
    rfc: 'RFC 9112 §3.2',
    send: req('GET /x HTTP/1.0'),
    expect: { app: { line: 'GET /x HTTP/1.1' }, client: { status: 200 } },
  },
]
