/** What the schema says is wrong, as complaints that a person can act on. Of a union one branch speaks: the one that the value was meant to be. */
import type { Complaint, Path } from './complaint.ts'
import { isMapping } from './mapping.ts'
import { inWords, kindInWords, Misread, quoted } from './misread.ts'
import { nearest } from './nearest.ts'
import type { Issue } from './schema.ts'
import { laterKey } from './unsupported.ts'

/** The known keys of the mapping at a path, of all its forms. */
export type KnownKeys = (path: Path) => readonly string[]

/** `root` is the value that the issues are about. */
export function complaintsOf(issues: readonly Issue[], root: unknown, knownKeys: KnownKeys, base: Path = []): Complaint[] {
  const complaints = issues.flatMap((issue) => ofIssue(issue, root, knownKeys, base))
  const misspelt = new Set(
    complaints.filter((complaint) => complaint.at === 'key').map((complaint) => pathKey(complaint.path.slice(0, -1))),
  )
  // A mapping with a misspelt key is seldom also short of that key.
  return complaints.filter((complaint) => !(complaint.expected.startsWith('exactly one of') && misspelt.has(pathKey(complaint.path))))
}

function ofIssue(issue: Issue, root: unknown, knownKeys: KnownKeys, base: Path): Complaint[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, knownKeys))
  if (issue.code === 'invalid_union') return ofUnion(issue.errors, path, root, knownKeys)
  if (issue.code === 'invalid_key') {
    const key = String(path.at(-1))
    return [ofForm(path, quoted(key), issue.issues[0]?.message ?? 'another key', null, 'key')]
  }
  const value = valueAt(root, path)
  const misread = misreadOf(issue)
  if (misread) {
    const reason = misread.kind === 'unsupported' ? 'unsupported' : 'schema'
    const hint = isSecret(path) && misread.kind === 'kind' && misread.hint !== null ? 'quote it' : misread.hint
    return [{ ...ofForm(path, misread.found ?? foundAt(path, value), misread.expected, hint), reason }]
  }
  return [ofForm(path, foundAt(path, value), expectedBy(issue), hintFor(issue, value))]
}

function ofForm(path: Path, found: string, expected: string, hint: string | null, at: Complaint['at'] = 'value'): Complaint {
  return { path, at, found, expected, hint, reason: 'schema' }
}

function unknownKey(path: Path, key: string, knownKeys: KnownKeys): Complaint {
  const purpose = laterKey(path, key)
  const place = [...path, key]
  if (purpose !== null) {
    return {
      path: place,
      at: 'key',
      found: `the key ${quoted(key)}`,
      expected: 'only what this build can do',
      hint: `${purpose}: not in this build`,
      reason: 'unsupported',
    }
  }
  const known = knownKeys(path)
  const near = nearest(key, known)
  const hint = near === null ? `known keys: ${known.join(', ')}` : `did you mean ${near}?`
  return ofForm(place, `the unknown key ${quoted(key)}`, 'a known key', known.length === 0 ? null : hint, 'key')
}

function misreadOf(issue: Issue): Misread | null {
  const misread = issue.code === 'custom' ? issue.params?.misread : undefined
  return misread instanceof Misread ? misread : null
}

function foundAt(path: Path, value: unknown): string {
  return isSecret(path) ? kindInWords(value) : inWords(value)
}

/** The environment of an app and the path of a URL that baton calls may hold secrets: a value there is not repeated. */
function isSecret(path: Path): boolean {
  return path[0] === 'bootstrap' && (path[3] === 'env' || path.at(-1) === 'url')
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a text',
  boolean: 'true or false',
}

function expectedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.expected
    case 'invalid_value':
      return listed(issue.values.map(String))
    case 'too_small':
      return `at least ${issue.minimum} ${Number(issue.minimum) === 1 ? 'entry' : 'entries'}`
    case 'too_big':
      return `at most ${issue.maximum} entries`
    default:
      return issue.message
  }
}

function hintFor(issue: Issue, value: unknown): string | null {
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const near = nearest(value, issue.values.map(String))
    return near === null ? null : `did you mean ${near}?`
  }
  if (value === null) return 'leave the key out for its default'
  if (issue.code !== 'invalid_type') return null
  if (issue.expected === 'array' && typeof value === 'string') return `write a list: [${value.slice(0, 60).split(/\s+/).join(', ')}]`
  return issue.expected === 'boolean' && typeof value === 'string' && /^(yes|no|on|off|true|false)$/i.test(value)
    ? 'write true or false, without quotes'
    : null
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

type Branch = readonly Issue[]

/** A branch whose only trouble is the value's kind was not meant; of the others the one with the least trouble speaks, and if none is left, all in one sentence. */
function ofUnion(branches: readonly Branch[], path: Path, root: unknown, knownKeys: KnownKeys): Complaint[] {
  const meant = branches.filter((branch) => !branch.every(isOtherKind))
  const best = meant.toSorted((a, b) => a.length - b.length)[0]
  if (best) return complaintsOf(best, root, knownKeys, path)
  const each = branches.flatMap((branch) => complaintsOf(branch, root, knownKeys, path))
  const hint = each.find((complaint) => complaint.hint !== null)?.hint ?? null
  const expected = listed([...new Set(each.map((complaint) => complaint.expected))])
  return [ofForm(path, foundAt(path, valueAt(root, path)), expected, hint)]
}

function isOtherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false
  if (issue.code === 'invalid_type' || issue.code === 'invalid_value') return true
  if (issue.code === 'invalid_union') return issue.errors.every((branch) => branch.every(isOtherKind))
  return misreadOf(issue)?.kind === 'kind'
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => (isMapping(value) && Object.hasOwn(value, part) ? value[part] : undefined), root)
}

function pathKey(path: Path): string {
  return JSON.stringify(path)
}
