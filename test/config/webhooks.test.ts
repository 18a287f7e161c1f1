/** Who is told of events, and what a configuration may not give away of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatConfigFault } from '../../src/errors.ts'
import { faultsOf, minimal, parse } from './fixture.ts'
import { liveWith, loaded } from './live-fixture.ts'

const hook = (text: string) => `bootstrap: { webhooks: { ops: { ${text} } } }\n${minimal}`
const plain = 'url: "https://hooks.invalid/T0/hunter2", secretFile: ops.secret'

function said(text: string): string {
  return faultsOf(text).map(formatConfigFault).join('\n')
}

describe('a webhook', () => {
  test('is told of all events unless it names some, and its secret is beside the configuration', () => {
    assert.deepEqual(parse(hook(plain)).bootstrap.webhooks.ops, {
      url: { scheme: 'https', host: 'hooks.invalid', port: 443, path: '/T0/hunter2' },
      secretFile: '/etc/baton/ops.secret',
      events: 'all',
    })
    assert.deepEqual(parse(hook(`${plain}, events: [upgrade.phase]`)).bootstrap.webhooks.ops?.events, ['upgrade.phase'])
  })

  test('names only events that there are', () => {
    assert.match(
      said(hook(`${plain}, events: [upgrade.fase]`)),
      /events\[0\]: found "upgrade.fase", expected the name of an event.*did you mean upgrade\.phase\?/,
    )
    assert.match(said(hook(`${plain}, events: []`)), /at least 1 entry/)
    assert.match(said(hook(`${plain}, events: some`)), /events: found "some"/)
  })

  test('without a secret, or with a URL of another kind, is refused', () => {
    assert.match(said(hook('url: "https://hooks.invalid/"')), /secretFile: found nothing/)
    for (const url of ['ftp://hooks.invalid/', 'hooks.invalid/T0', 'https://', 'https://hooks.invalid:0/', 'https://hooks.invalid/ x'])
      assert.match(said(hook(`url: "${url}", secretFile: s`)), /webhooks\.ops\.url: found a text, expected /, url)
  })

  test('has an address whose secrets no fault repeats', () => {
    for (const url of ['https://u:hunter2@hooks.invalid/', 'https://hooks.invalid/ hunter2', 'ftp://hooks.invalid/hunter2'])
      assert.doesNotMatch(said(hook(`url: "${url}", secretFile: s`)), /hunter2/)
  })

  test('follows a reload, without a new generation, and is in no text that others can read', () => {
    const { live } = liveWith(loaded(minimal))
    const outcome = live.offer(hook(plain), 'file')
    assert.deepEqual(outcome.is === 'applied' && outcome.needsGeneration, [])
    assert.deepEqual(Object.keys(live.current().bootstrap.webhooks), ['ops'])
    assert.doesNotMatch(live.dynamicText(), /hunter2|secret/)
    const retired = `bootstrap: { retirements: { old: { signal: { pidFile: p } } } }\n${minimal}`
    live.offer(retired, 'file')
    assert.deepEqual([Object.keys(live.current().bootstrap.webhooks), Object.keys(live.current().bootstrap.retirements)], [[], ['old']])
  })
})
