/** What a person writes for a value, from its JSON Schema. Pure. */
import { code } from './markdown.ts'

/** The parts of JSON Schema that the configuration's schema uses. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly 'x-range'?: string
}

export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeOf(schema.items)}`
  if (schema.type === 'object')
    return typeof schema.additionalProperties === 'object' ? `mapping: name → ${typeOf(schema.additionalProperties)}` : 'mapping'
  if (schema.type === 'integer' || schema.type === 'number') return numberType(schema)
  return schema.type === 'boolean' ? '`true`, `false`' : textType(schema)
}

function numberType({ type, minimum, exclusiveMinimum, maximum }: Schema): string {
  const word = type === 'integer' ? 'whole number' : 'number'
  const from = exclusiveMinimum === undefined ? minimum : `above ${exclusiveMinimum}`
  return `${word}, ${from ?? ''} to ${maximum ?? ''}`
}

function textType({ pattern = '', ...schema }: Schema): string {
  const range = schema['x-range'] === undefined ? '' : `, ${schema['x-range']}`
  const off = pattern.includes('off|') ? ' or `off`' : ''
  if (pattern.includes('ms|s|m|h')) return `duration${range}${off}`
  if (pattern.includes('KiB|MiB')) return `size${range}${off}`
  return pattern.endsWith('%$') ? 'percentage' : 'text'
}
