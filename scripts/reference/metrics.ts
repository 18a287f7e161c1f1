/** Every metric that baton counts. */
import { type MetricSpec, metricsTable } from '../../src/telemetry/metrics-table.ts'
import { code, generated, table } from './markdown.ts'

export function metricsPage(): string {
  const rows = Object.entries<MetricSpec>(metricsTable).map(([name, { type, labels, help }]) => [
    code(name),
    type,
    labels.map(code).join(', '),
    help,
  ])
  const histograms = Object.entries<MetricSpec>(metricsTable).flatMap(([name, { buckets }]) =>
    buckets === undefined ? [] : [[code(name), buckets.join(', ')]],
  )
  return `# Metrics reference

${generated}

\`GET /metrics\` on the metrics listener (:9902 by default), in the Prometheus text format. Labels are bounded: versions, routes and codes come from the configuration and
from the code, never from a request.

${table(['name', 'type', 'labels', 'help'], rows)}

## Buckets

In seconds; \`+Inf\` goes without saying.

${table(['histogram', 'upper bounds'], histograms)}
`
}
