/** Every key of the configuration: type, default, reason. */
import { jsonSchema } from '../../src/config/schema.ts'
import { code, generated, table } from './markdown.ts'
import { type Schema, typeOf } from './schema-type.ts'

const dynamicOnly = 'The dynamic half: it can be swapped at any time, by an edit of the file, SIGHUP or `PUT /v1/config`.'

export function configurationPage(): string {
  const { properties = {}, required = [] } = jsonSchema() as Schema
  const sections = Object.entries(properties).map(([key, schema]) => section(key, schema, required.includes(key)))
  return `# Configuration reference

${generated}

One YAML or JSON document. \`bootstrap\` is local and trusted and comes from the file alone. ${dynamicOnly}
In the table, \`NAME\` stands for a name of your own and \`[]\` for each item of a list. Durations are \`250ms\`, \`5s\`, \`10m\`, \`1h\`; sizes \`512B\`, \`64KiB\`, \`1MiB\`, \`1GiB\`.
An editor that reads YAML schemas can use [configuration.schema.json](configuration.schema.json); \`baton schema\` prints the same.

${sections.join('\n\n')}
`
}

function section(key: string, schema: Schema, required: boolean): string {
  return `## ${key}\n\n${table(['key', 'type', 'default', 'what and why'], rows(key, schema, required).map(keyFirst))}`
}

interface Row {
  readonly path: string
  readonly cells: readonly string[]
}

function keyFirst({ path, cells }: Row): readonly string[] {
  return [code(path), ...cells]
}

function rows(path: string, schema: Schema, required: boolean): Row[] {
  const own = { path, cells: [typeOf(schema), defaultOf(schema, required), schema.description ?? ''] }
  return [own, ...unique(inside(path, schema))]
}

/** The keys within: of a mapping, of a mapping by names, of a list's items, of each alternative. */
function inside(path: string, schema: Schema): Row[] {
  const { properties = {}, required = [], additionalProperties, items, anyOf = [] } = schema
  const keys = Object.entries(properties).flatMap(([key, value]) => rows(`${path}.${key}`, value, required.includes(key)))
  const named = typeof additionalProperties === 'object' ? inside(`${path}.NAME`, additionalProperties) : []
  return [...keys, ...named, ...(items === undefined ? [] : inside(`${path}[]`, items)), ...anyOf.flatMap((one) => inside(path, one))]
}

/** A key that is allowed once or in a list would stand here twice: the list's form goes without saying. */
function unique(all: readonly Row[]): Row[] {
  const plain = new Set(all.map(({ path }) => path))
  return all.filter(({ path }, index) => {
    const single = path.replace(/\[\](?=[^[\]]*$)/, '')
    return (single === path || !plain.has(single)) && all.findIndex((row) => row.path === path) === index
  })
}

function defaultOf({ default: value }: Schema, required: boolean): string {
  if (required) return 'required'
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  return value === undefined || isMapping ? '' : code(typeof value === 'string' ? value : JSON.stringify(value))
}
