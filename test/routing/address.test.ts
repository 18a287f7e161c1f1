import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addressSet, cidrFault } from '../../src/routing/address.ts'

const rows: readonly (readonly [string, string, boolean])[] = [
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.9.9.9/8', '10.1.1.1', true],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.6', false],
  ['192.0.2.6/31', '192.0.2.7', true],
  ['255.255.255.255/32', '255.255.255.255', true],
  ['128.0.0.0/1', '200.0.0.1', true],
  ['128.0.0.0/1', '127.0.0.1', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '203.0.113.9', false],
  ['::/0', '::ffff:203.0.113.9', false],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '::ffff:a01:203', true],
  ['10.0.0.0/8', '::10.1.2.3', false],
  ['::ffff:10.0.0.0/104', '10.1.2.3', true],
  ['::ffff:10.0.0.0/104', '11.1.2.3', false],
  ['::1', '::1', true],
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['::1', '::2', false],
  ['2001:db8::/32', '2001:DB8:ffff::', true],
  ['2001:db8::/33', '2001:db8:8000::', false],
  ['2001:db8::/33', '2001:db8:7fff::', true],
  ['2001:db8::8000/113', '2001:db8::ffff', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['fe80::/10', 'fec0::1', false],
  ['1:2:3:4:5:6:7::/128', '1:2:3:4:5:6:7:0', true],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8', true],
]

describe('an address set', () => {
  for (const [block, address, expected] of rows) {
    test(`${block} ${expected ? 'holds' : 'does not hold'} ${address}`, () => {
      assert.equal(addressSet([block]).has(address), expected)
    })
  }
  test('holds what any of its blocks holds, and nothing when it has none', () => {
    const set = addressSet(['10.0.0.0/8', '::1', '192.0.2.1'])
    for (const address of ['10.0.0.1', '::1', '192.0.2.1']) assert.equal(set.has(address), true)
    assert.equal(addressSet([]).has('10.0.0.1'), false)
  })
  test('keeps nothing of one address for the next', () => {
    const set = addressSet(['::1'])
    assert.equal(set.has('ffff:ffff:ffff:ffff:ffff:ffff:ffff:1'), false)
    assert.equal(set.has('::1'), true)
  })
  test('does not hold what is no address', () => {
    const set = addressSet(['0.0.0.0/0', '::/0'])
    for (const text of ['', 'unknown', '10.0.0', '10.0.0.1:80', '[::1]', '%eth0', ' 10.0.0.1']) assert.equal(set.has(text), false, text)
  })
  test('agrees with net.BlockList within a family', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6())
    fc.assert(
      fc.property(address, address, fc.nat(128), (base, probe, length) => {
        const family = isIP(base) === 4 ? 'ipv4' : 'ipv6'
        const bits = family === 'ipv4' ? length % 33 : length
        const mapped = /^(0*:){1,}(0*:)*(ffff:|:ffff:)/i
        fc.pre(isIP(base) === isIP(probe) && !mapped.test(base) && !mapped.test(probe))
        const list = new BlockList()
        list.addSubnet(base, bits, family)
        assert.equal(addressSet([`${base}/${bits}`]).has(probe), list.check(probe, family))
        assert.equal(addressSet([`${base}/${bits}`]).has(base), true)
      }),
    )
  })
})

const malformed = [
  '::1:',
  '1:2:3:4:5:6:7:8:',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:1.2.3.4',
  '::2:3:4:5:6:7:8:9',
  '1::2::3',
  ':::',
  '1:2:3:4::5:6:7:8',
]

describe('cidrFault', () => {
  test('agrees with net.isIP on what an address is', () => {
    const piece = fc.constantFrom('0', '1', '00', '01', '255', '256', 'f', 'ffff', '12345', ':', '::', '.', '1.2.3.4', 'g', '')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.constantFrom('', ':', '.'), (pieces, joint) => {
        const text = pieces.join(joint)
        assert.equal(cidrFault(text) === null, isIP(text) !== 0, text)
      }),
      { numRuns: 3000 },
    )
  })
  test('names a bad prefix length', () => {
    for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0.0/8/8', '10.0.0.0/x', '10.0.0.0/ 8']) {
      assert.match(cidrFault(text) ?? '', /from 0 to 32/, text)
    }
    assert.match(cidrFault('::/129') ?? '', /from 0 to 128/)
  })
  test('names what is no address, and addressSet throws for it', () => {
    for (const text of ['loopback', '', '/8', '010.0.0.1', '1.2.3', '::g', 'fe80::1%eth0', '[::1]', ...malformed]) {
      assert.match(cidrFault(text) ?? '', /not an IPv4 or IPv6 address/, text)
      assert.throws(() => addressSet([text]), RangeError)
    }
  })
})
