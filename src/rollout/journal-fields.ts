/** The parts of a mapping that was read from a file, each of the kind that it has to be. */
import { isMapping } from '../config/mapping.ts'

/** Every reading throws an Error that names the place and what it should be. */
export class JournalFields {
  readonly #value: Record<string | number, unknown>
  readonly #place: string

  constructor(value: unknown, place: string) {
    if (!isMapping(value) || Array.isArray(value)) throw new Error(`${place} is not a mapping`)
    this.#value = value
    this.#place = place
  }

  text(key: string): string {
    const value = this.#value[key]
    return typeof value === 'string' && value !== '' ? value : this.refuse(key, 'a text')
  }

  /** Finite and not negative. */
  figure(key: string): number {
    const value = this.#value[key]
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : this.refuse(key, 'a figure')
  }

  flag(key: string): boolean {
    const value = this.#value[key]
    return typeof value === 'boolean' ? value : this.refuse(key, 'true or false')
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T {
    const value = this.#value[key]
    return words.find((word) => word === value) ?? this.refuse(key, `one of ${words.join(', ')}`)
  }

  texts(key: string): readonly string[] {
    const value: unknown = this.#value[key]
    if (!Array.isArray(value)) return this.refuse(key, 'a list')
    return value.map((each: unknown) => (typeof each === 'string' ? each : this.refuse(key, 'a list of texts')))
  }

  part(key: string): JournalFields {
    return new JournalFields(this.#value[key], `${this.#place}.${key}`)
  }

  parts(key: string): readonly JournalFields[] {
    const value: unknown = this.#value[key]
    if (!Array.isArray(value)) return this.refuse(key, 'a list')
    return value.map((each: unknown, at) => new JournalFields(each, `${this.#place}.${key}[${at}]`))
  }

  /** Null where null is written; what is missing is refused. */
  orNull<T>(key: string, read: (key: string) => T): T | null {
    return this.#value[key] === null ? null : read(key)
  }

  /** Whatever it is; null if it is not there. */
  anything(key: string): unknown {
    return this.#value[key] ?? null
  }

  keys(): readonly string[] {
    return Object.keys(this.#value)
  }

  refuse(key: string, expected: string): never {
    throw new Error(`${this.#place}.${key} is not ${expected}`)
  }
}
