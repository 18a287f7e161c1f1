/** Every page of docs/reference/, by file name. */
import { jsonSchema } from '../../src/config/schema.ts'
import { cliPage } from './cli.ts'
import { configurationPage } from './configuration.ts'
import { errorsPage } from './errors.ts'
import { metricsPage } from './metrics.ts'

export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  return {
    'configuration.md': configurationPage(),
    'configuration.schema.json': `${JSON.stringify(jsonSchema(), null, 2)}\n`,
    'cli.md': await cliPage(),
    'metrics.md': metricsPage(),
    'errors.md': errorsPage(),
  }
}
