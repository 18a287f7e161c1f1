/** Latency and traffic share over time as an SVG, the phases as bands: by hand, readable on light and dark alike. Pure. */
import { fixed, line, niceAbove, opening, panel, panelHeight, type Scale, x } from '../chart.ts'
import type { Round } from './round.ts'
import { figuresOf, type Stretch, shareOf } from './stretch.ts'

const latencyTop = 64
const shareTop = latencyTop + panelHeight + 44
const height = shareTop + panelHeight + 40
const bucketMs = 500
/** Narrower, a band has no room for its name. */
const namedFromPx = 26

const style = `
  .band { fill: #3b82f6; fill-opacity: .10; stroke: #3b82f6; stroke-opacity: .35; stroke-width: .5 }
  .odd { fill-opacity: .20 }
  .back { fill: #f97316; stroke: #f97316 }
  .p99 { stroke: #dc2626; stroke-width: 1.8; fill: none }
  .p50 { stroke: #0d9488; stroke-width: 1.8; fill: none }
  .share { stroke: #2563eb; stroke-width: 1.8; fill: none }
  .key99 { fill: #dc2626 } .key50 { fill: #0d9488 }
  @media (prefers-color-scheme: dark) {
    .key99 { fill: #f87171 } .key50 { fill: #2dd4bf }
    .p99 { stroke: #f87171 } .p50 { stroke: #2dd4bf } .share { stroke: #60a5fa }
  }`

export function picture({ exchanges, upgrade, rollback, stretches }: Round): string {
  const scale = { from: stretches[0]?.from ?? 0, to: stretches.at(-1)?.to ?? 1 }
  const buckets = bucketsOf(scale)
  const figures = buckets.map((bucket) => figuresOf(exchanges, bucket))
  const p50s = figures.map(({ p50Ms }) => p50Ms)
  const p99s = figures.map(({ p99Ms }) => p99Ms)
  const shares = buckets.map((bucket) => shareOf('v2', exchanges, bucket) * 100)
  const highest = niceAbove(Math.max(...p99s.filter(Number.isFinite)))
  const xs = buckets.map(({ from, to }) => x((from + to) / 2, scale))
  const latencyTitle = 'latency of short requests, ms: <tspan class="key99">p99</tspan> and <tspan class="key50">p50</tspan>'
  return [
    ...opening(height, 'Latency and traffic share through an upgrade and a rollback', style),
    ...[...upgrade, ...rollback].map((band, at) => bandShape(band, at, scale)),
    ...panel(latencyTitle, 18, latencyTop, highest),
    ...panel('share of v2, %', shareTop - 10, shareTop, 100),
    line('p50', xs, p50s, latencyTop, highest),
    line('p99', xs, p99s, latencyTop, highest),
    line('share', xs, shares, shareTop, 100),
    ...seconds(scale),
    '</svg>\n',
  ].join('\n')
}

function bandShape({ name, from, to }: Stretch, at: number, scale: Scale): string {
  const [begin, end] = [x(from, scale), x(to, scale)]
  const wide = end - begin
  const kind = ['band', ...(at % 2 === 1 ? ['odd'] : []), ...(name === 'rollback' ? ['back'] : [])].join(' ')
  const rect = `<rect class="${kind}" x="${fixed(begin)}" y="${latencyTop}" width="${fixed(wide)}" height="${shareTop + panelHeight - latencyTop}"><title>${name}</title></rect>`
  if (wide < namedFromPx) return rect
  const middle = fixed((begin + end) / 2)
  return `${rect}\n<text x="${middle}" y="${latencyTop - 8}" text-anchor="${wide < 70 ? 'start' : 'middle'}"${wide < 70 ? ` transform="rotate(-25 ${middle} ${latencyTop - 8})"` : ''}>${name}</text>`
}

function seconds(scale: Scale): readonly string[] {
  const whole = Math.floor((scale.to - scale.from) / 5_000)
  return Array.from({ length: whole + 1 }, (_, at) => {
    const place = fixed(x(scale.from + at * 5_000, scale))
    return `<text x="${place}" y="${shareTop + panelHeight + 18}" text-anchor="middle">${at * 5} s</text>`
  })
}

function bucketsOf({ from, to }: Scale): readonly Stretch[] {
  return Array.from({ length: Math.floor((to - from) / bucketMs) }, (_, at) => ({
    name: '',
    from: from + at * bucketMs,
    to: from + (at + 1) * bucketMs,
  }))
}
