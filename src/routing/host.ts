/** The host of an authority: what `RouteRequest.host` holds. */

/** Lower case, without port and without the brackets of an IPv6 address (RFC 3986 section 3.2.2). '' for ''. Never throws. */
export function hostOf(authority: string): string {
  if (authority.startsWith('[')) {
    const close = authority.indexOf(']')
    return (close === -1 ? authority : authority.slice(1, close)).toLowerCase()
  }
  const colon = authority.indexOf(':')
  // Two colons without brackets are a bare IPv6 address and no port.
  const hasPort = colon !== -1 && authority.indexOf(':', colon + 1) === -1
  return (hasPort ? authority.slice(0, colon) : authority).toLowerCase()
}
