/** What a message's `Connection` lists: the fields of this hop, and the wish to upgrade (RFC 9110 section 7.6.1). */

/** In lower case, without the two that say how long the connection lives; null for nothing else. `value` is all such fields, joined. */
export function connectionTokens(value: string | null): Set<string> | null {
  if (value === null || value === 'keep-alive' || value === 'close') return null
  const tokens = new Set<string>()
  for (const part of value.toLowerCase().split(',')) {
    const token = part.trim()
    if (token !== '' && token !== 'close' && token !== 'keep-alive') tokens.add(token)
  }
  return tokens.size === 0 ? null : tokens
}
