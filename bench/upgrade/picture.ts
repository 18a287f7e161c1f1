/** Latency and traffic share over time as an SVG, the phases as bands: by hand, readable on light and dark alike. Pure. */
import type { Round } from './round.ts'
import { figuresOf, type Stretch, shareOf } from './stretch.ts'

const width = 1000
const left = 56
const right = 16
const latencyTop = 64
const panelHeight = 150
const shareTop = latencyTop + panelHeight + 44
const height = shareTop + panelHeight + 40
const bucketMs = 500
/** Narrower, a band has no room for its name. */
const namedFromPx = 26

interface Scale {
  readonly from: number
  readonly to: number
}

const style = `
  text { font: 12px system-ui, sans-serif; fill: #444 }
  .title { font-weight: 600 }
  .axis, .grid { stroke: #8888; stroke-width: 1; fill: none }
  .grid { stroke-dasharray: 2 4 }
  .band { fill: #3b82f6; fill-opacity: .10; stroke: #3b82f6; stroke-opacity: .35; stroke-width: .5 }
  .odd { fill-opacity: .20 }
  .back { fill: #f97316; stroke: #f97316 }
  .p99 { stroke: #dc2626; stroke-width: 1.8; fill: none }
  .p50 { stroke: #0d9488; stroke-width: 1.8; fill: none }
  .share { stroke: #2563eb; stroke-width: 1.8; fill: none }
  .key99 { fill: #dc2626 } .key50 { fill: #0d9488 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ccc }
    .key99 { fill: #f87171 } .key50 { fill: #2dd4bf }
    .p99 { stroke: #f87171 } .p50 { stroke: #2dd4bf } .share { stroke: #60a5fa }
  }`

export function picture({ exchanges, upgrade, rollback, stretches }: Round): string {
  const scale = { from: stretches[0]?.from ?? 0, to: stretches.at(-1)?.to ?? 1 }
  const buckets = bucketsOf(scale)
  const figures = buckets.map((bucket) => figuresOf(exchanges, bucket))
  const highest = niceAbove(Math.max(...figures.map(({ p99Ms }) => p99Ms).filter(Number.isFinite)))
  const xs = buckets.map(({ from, to }) => x((from + to) / 2, scale))
  const lineOf = (kind: string, top: number, most: number, values: readonly number[]) =>
    `<polyline class="${kind}" points="${points(xs, values, top, most)}"/>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>Latency and traffic share through an upgrade and a rollback</title>',
    `<style>${style}\n</style>`,
    ...[...upgrade, ...rollback].map((band, at) => bandShape(band, at, scale)),
    ...panel('latency of short requests, ms: <tspan class="key99">p99</tspan> and <tspan class="key50">p50</tspan>', latencyTop, highest),
    ...panel('share of v2, %', shareTop, 100),
    lineOf(
      'p50',
      latencyTop,
      highest,
      figures.map(({ p50Ms }) => p50Ms),
    ),
    lineOf(
      'p99',
      latencyTop,
      highest,
      figures.map(({ p99Ms }) => p99Ms),
    ),
    lineOf(
      'share',
      shareTop,
      100,
      buckets.map((bucket) => shareOf('v2', exchanges, bucket) * 100),
    ),
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

function panel(title: string, top: number, most: number): readonly string[] {
  const rows = [0, 0.5, 1].map((share) => {
    const y = top + panelHeight * (1 - share)
    return `<path class="grid" d="M${left} ${y}H${width - right}"/><text x="${left - 8}" y="${y + 4}" text-anchor="end">${fixed(most * share)}</text>`
  })
  return [
    `<text class="title" x="${left}" y="${top === latencyTop ? 18 : top - 10}">${title}</text>`,
    ...rows,
    `<path class="axis" d="M${left} ${top}V${top + panelHeight}H${width - right}"/>`,
  ]
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

function points(xs: readonly number[], values: readonly number[], top: number, most: number): string {
  return values
    .flatMap((value, at) => (Number.isFinite(value) ? [`${fixed(xs[at] ?? 0)},${fixed(top + panelHeight * (1 - value / most))}`] : []))
    .join(' ')
}

function x(at: number, { from, to }: Scale): number {
  return left + ((Math.max(from, Math.min(to, at)) - from) / (to - from)) * (width - left - right)
}

/** 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((times) => times * unit >= value) ?? 10) * unit
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10)
}
