/** Who may say how an app is stopped, and who may only name it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDynamic } from '../../src/config/parse.ts'
import { formatConfigFault } from '../../src/errors.ts'
import { faultsOf, minimal, parse } from './fixture.ts'

const version = (text: string) => `versions: { v1: { ${text} } }\nstable: v1\n`
const external = (retire: string) => version(`url: "http://127.0.0.1:1", retire: ${retire}`)
const declared = (text: string) => `bootstrap: { retirements: { old: ${text} } }\n`
const byPid = declared('{ signal: { pidFile: run/app.pid } }')

function said(text: string): string[] {
  return faultsOf(text).map((fault) => formatConfigFault(fault).replace(/^baton\.yaml/, ''))
}

describe('a retirement', () => {
  test('by signal has its defaults, and its file is relative to the configuration', () => {
    assert.deepEqual(parse(byPid + minimal).bootstrap.retirements.old, {
      is: 'signal',
      pidFile: '/etc/baton/run/app.pid',
      signal: 'SIGTERM',
      stopTimeoutMs: 10_000,
      kill: false,
    })
  })

  test('by HTTP has its defaults', () => {
    assert.deepEqual(parse(declared('{ http: { url: "http://[::1]:3001/off?now" } }') + minimal).bootstrap.retirements.old, {
      is: 'http',
      url: { scheme: 'http', host: '::1', port: 3001, path: '/off?now' },
      method: 'POST',
      timeoutMs: 5_000,
    })
  })

  test('is one of the two', () => {
    assert.match(said(declared('{}') + minimal).join(), /expected exactly one of signal, http/)
    const both = declared('{ http: { url: "http://127.0.0.1:1/" }, signal: { pidFile: p } }')
    assert.match(said(both + minimal).join(), /found signal and http/)
  })

  test('goes only where upstreams may be, and never to baton itself', () => {
    const to = (url: string) => declared(`{ http: { url: "${url}" } }`) + minimal
    const at = 'bootstrap.retirements.old.http.url'
    assert.deepEqual(said(to('http://10.0.0.1:3001/off')), [
      `:1:49 ${at}: found 10.0.0.1, expected an upstream of bootstrap.allowUpstreams (add 10.0.0.1 to bootstrap.allowUpstreams)`,
    ])
    assert.match(said(to('http://169.254.169.254/off')).join(), /link-local addresses are never allowed/)
    assert.match(said(to('http://127.0.0.1:8080/off')).join(), /an address of baton itself/)
  })

  test('has an address whose secrets no fault repeats', () => {
    for (const url of [
      'http://u:hunter2@127.0.0.1/',
      'http://127.0.0.1/ ?token=hunter2',
      'https://127.0.0.1/hunter2',
      'http://127.0.0.1/#hunter2',
    ])
      assert.doesNotMatch(said(declared(`{ http: { url: "${url}" } }`) + minimal).join(), /hunter2/)
  })

  test('is not called none', () => {
    assert.deepEqual(said(`bootstrap: { retirements: { none: { signal: { pidFile: p } } } }\n${minimal}`), [
      ':1:29 bootstrap.retirements.none: found "none", expected another name (retire: none is no retirement)',
    ])
  })
})

describe('retire', () => {
  test('names one of bootstrap.retirements; none, and nothing at all, is none', () => {
    const of = (text: string) => parse(text).dynamic.versions.v1?.retire
    assert.equal(of(byPid + external('old')), 'old')
    assert.equal(of(byPid + external('none')), null)
    assert.equal(of(byPid + minimal), null)
  })

  test('that names nothing is refused', () => {
    assert.deepEqual(said(byPid + external('olt')), [
      ':2:54 versions.v1.retire: found "olt", expected the name of one of bootstrap.retirements, or none (did you mean old?)',
    ])
  })

  test('that says itself what to do is refused: the dynamic half gives no such orders', () => {
    const [fault, ...more] = faultsOf(external('{ http: { url: "http://127.0.0.1:1/off" } }'))
    assert.deepEqual(more, [])
    assert.equal(fault?.path, 'versions.v1.retire')
    assert.equal(fault.hint, 'say in bootstrap.retirements how, and here its name')
  })

  test('of a dynamic half alone is held to the running retirements', () => {
    const { bootstrap } = parse(byPid + minimal)
    assert.equal(parseDynamic(external('old'), 'etcd', bootstrap).versions.v1?.retire, 'old')
    const [fault] = faultsOf(external('other'), (text) => parseDynamic(text, 'etcd', bootstrap))
    assert.equal(fault?.path, 'versions.v1.retire')
  })

  test('beside a process is refused: that one baton stops', () => {
    const [fault, ...more] = faultsOf(
      `bootstrap: { processes: { p: { command: [app], port: 1 } } }\n${version('process: p, retire: none')}`,
    )
    assert.deepEqual(more, [])
    assert.equal(
      fault && formatConfigFault(fault),
      'baton.yaml:2:17 versions.v1: found process and retire, expected no retire beside process (a process of baton is stopped by baton)',
    )
  })
})
