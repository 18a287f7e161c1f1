/** The words of routing, as the configuration states them and the compiler takes them. */

export type VersionName = string

/** A head's fields as they came: name, value, name, value … */
export type Raw = readonly string[]

/** What routing may look at. Nothing here is parsed before a route asks for it. */
export interface RouteRequest {
  readonly method: string
  /** Origin-form, as sent: path and query. */
  readonly target: string
  /** Host of the request, lower case, without its port; '' if there is none. */
  readonly host: string
  readonly raw: Raw
  /** The client's address: the peer's, or what a trusted hop says. */
  readonly client: string
}

/** A test of one string. `invert` turns the outcome round (an absent value then matches). */
export type TextMatch = { readonly invert?: boolean } & (
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly oneOf: readonly string[] }
  | { readonly present: true }
)

/** `prefix` is by segment: /api matches /api and /api/x, not /apix. */
export type PathMatch = { readonly exact: string } | { readonly prefix: string } | { readonly regex: string }

/** All that is named must hold. */
export interface RouteMatch {
  readonly headers?: Readonly<Record<string, TextMatch>>
  readonly query?: Readonly<Record<string, TextMatch>>
  readonly cookies?: Readonly<Record<string, TextMatch>>
  readonly path?: PathMatch
  readonly methods?: readonly string[]
  readonly host?: TextMatch
  /** CIDR blocks of the client's address. */
  readonly client?: readonly string[]
}

/** A version's name, or a role: `stable`, `candidate`. These two words cannot name a version. */
export type Target = string

export interface RouteSpec {
  readonly name: string
  /** Alternatives; none means every request. */
  readonly match: readonly RouteMatch[]
  readonly action: { readonly to: Target } | { readonly split: Readonly<Record<Target, number>> }
  readonly fallback: Target | null
  /** Request headers that the app gets in place of the client's. */
  readonly set: Readonly<Record<string, string>>
  /** Clients outside these CIDR blocks are treated as if the route were not there. */
  readonly only: { readonly cidrs: readonly string[] } | null
}

/** Where a user's bucket comes from: a cookie's value, else a header's. */
export interface StickySpec {
  readonly cookie: string | null
  readonly header: string | null
}

/** Who plays which role now. */
export interface Roles {
  readonly stable: VersionName
  readonly candidate: VersionName | null
  /** Seeds the sticky bucket: the upgrade's id, else the candidate's name. */
  readonly salt: string
  /** Percent, from 0 to 100, fractions too: of what would go to the role stable, so much goes to the candidate. */
  readonly weight: number
}

/** Where a request goes. Made once per snapshot and roles, never per request. */
export interface Decision {
  /** The route's name; null when no route claimed the request. */
  readonly route: string | null
  /** Position in the route table; -1 when no route claimed the request. */
  readonly index: number
  readonly version: VersionName
  readonly fallback: VersionName | null
  /** Header fields to set on the request: name, value, name, value … */
  readonly set: Raw
}
