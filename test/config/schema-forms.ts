/** The JSON Schema as tests walk it: the forms that a value at a path may have. */
import { jsonSchema } from '../../src/config/schema.ts'
import type { Path } from './placed-json.ts'

export interface Form {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Form>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Form
  readonly items?: Form
  readonly anyOf?: readonly Form[]
  readonly oneOf?: readonly { readonly required: readonly string[] }[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minItems?: number
  readonly 'x-range'?: string
}

export const root = jsonSchema() as Form

export function formsAt(path: Path): readonly Form[] {
  return path.reduce<readonly Form[]>((forms, part) => forms.flatMap((form) => step(form, part)).flatMap(alternatives), [root])
}

function step(form: Form, part: string | number): Form[] {
  if (typeof part === 'number') return form.items ? [form.items] : []
  const own = form.properties?.[part]
  if (own) return [own]
  return typeof form.additionalProperties === 'object' ? [form.additionalProperties] : []
}

export function alternatives(form: Form): Form[] {
  return form.anyOf ? form.anyOf.flatMap(alternatives) : [form]
}

/** `string`, `number`, `boolean`, `array`, `object`: what a form takes. */
export function kindsOf(form: Form): string[] {
  if (form.const !== undefined) return [typeof form.const]
  if (form.enum) return form.enum.map((value) => typeof value)
  return [form.type ?? []].flat().map((type) => (type === 'integer' ? 'number' : type))
}
