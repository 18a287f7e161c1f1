/** How a Redis is reached, with the secrets in hand. */

export type Address = { readonly is: 'tcp'; readonly host: string; readonly port: number } | { readonly is: 'unix'; readonly path: string }

export interface Tls {
  /** PEM. Undefined: the authorities that Node knows. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
}

export interface Access {
  readonly address: Address
  /** The one whose keys are cached. */
  readonly database: number
  /** Null: the default user. */
  readonly user: string | null
  readonly password: string | null
  /** Null: none. */
  readonly tls: Tls | null
}
