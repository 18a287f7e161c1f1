/** What one text has otherwise than another, as `diff -u` shows it. */
import { createTwoFilesPatch } from 'diff'

interface Named {
  readonly name: string
  readonly text: string
}

/** Empty where they are the same. */
export function textDiff(before: Named, after: Named): string {
  if (before.text === after.text) return ''
  const lines = createTwoFilesPatch(before.name, after.name, before.text, after.text, undefined, undefined, { context: 3 }).split('\n')
  // Its first line is a rule that `diff -u` does not draw.
  return lines.slice(lines[0]?.startsWith('===') ? 1 : 0).join('\n')
}
