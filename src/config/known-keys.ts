/** The keys that a mapping may have, looked up in the JSON Schema. */
import type { Path } from './complaint.ts'
import { isMapping } from './mapping.ts'
import { jsonSchema } from './schema.ts'

/** A look-up that builds the schema once, when it is first asked. Of a value with several forms it tells the keys of all of them. */
export function knownKeys(): (path: Path) => readonly string[] {
  let root: unknown = null
  return (path) => {
    root ??= jsonSchema()
    const schemas = path.reduce<unknown[]>((at, part) => at.flatMap((schema) => step(schema, part)), [root])
    return [...new Set(schemas.flatMap(forms).flatMap((schema) => (isMapping(schema.properties) ? Object.keys(schema.properties) : [])))]
  }
}

function step(schema: unknown, part: string | number): unknown[] {
  return forms(schema).flatMap((form) => {
    if (typeof part === 'number') return isMapping(form.items) ? [form.items] : []
    if (isMapping(form.properties) && Object.hasOwn(form.properties, part)) return [form.properties[part]]
    return isMapping(form.additionalProperties) ? [form.additionalProperties] : []
  })
}

function forms(schema: unknown): Record<string, unknown>[] {
  if (!isMapping(schema)) return []
  return [schema, ...(Array.isArray(schema.anyOf) ? schema.anyOf.flatMap(forms) : [])]
}
