import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withSection } from '../../bench/section.ts'

test('a section is added at the end, and replaced where it stands; what is around it stays', () => {
  const first = withSection('# Page\n', 'runs', 'ten')
  assert.equal(first, '# Page\n\n<!-- runs -->\nten\n\n<!-- end of the runs -->\n')
  const both = withSection(`${first}\nwords\n`, 'rest', 'none')
  assert.equal(withSection(both, 'runs', 'eleven'), both.replace('ten', 'eleven'))
  assert.ok(both.endsWith('words\n\n<!-- rest -->\nnone\n\n<!-- end of the rest -->\n'))
})
