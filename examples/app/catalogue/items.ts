/** What the shop sells. */
export interface Item {
  readonly id: string
  readonly name: string
  readonly price: number
  /** The version of the app that wrote it last; null: nobody has since the beginning. */
  readonly writtenBy: string | null
}

/** Numbered from 1. */
export const itemCount = 1_000

export function keyOf(id: string): string {
  return `catalogue:${id}`
}

export function firstItems(): Item[] {
  return Array.from({ length: itemCount }, (_, at) => ({
    id: `${at + 1}`,
    name: `Item ${at + 1}`,
    price: ((at * 37) % 990) + 10,
    writtenBy: null,
  }))
}

/** What is PUT: null where it is none. */
export function itemOf(value: unknown, id: string, writtenBy: string): Item | null {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('price' in value)) return null
  const { name, price } = value
  return typeof name === 'string' && typeof price === 'number' ? { id, name, price, writtenBy } : null
}
