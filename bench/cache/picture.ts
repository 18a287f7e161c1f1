/** v2's first seconds, warmed and cold, as an SVG. Pure. */
import { fixed, line, niceAbove, opening, panel, panelHeight, x } from '../chart.ts'
import type { Watched } from './after-upgrade.ts'
import { figuresIn } from './after-upgrade-figures.ts'

const top = 34
const gap = 44
const beforeSeconds = 3

const style = `
  polyline { stroke-width: 1.8; fill: none }
  .cold { stroke: #dc2626 } .warmed { stroke: #0d9488 }
  .half { stroke-dasharray: 4 3; stroke-width: 1.2 }
  .keyCold { fill: #dc2626 } .keyWarmed { fill: #0d9488 }
  .first { stroke: #3b82f6; stroke-width: 1.2; fill: none }
  @media (prefers-color-scheme: dark) {
    .cold { stroke: #f87171 } .warmed { stroke: #2dd4bf }
    .keyCold { fill: #f87171 } .keyWarmed { fill: #2dd4bf }
  }`

export function picture(upgrades: readonly Watched[], watchSeconds: number): string {
  const seconds = Array.from({ length: beforeSeconds + watchSeconds }, (_, at) => at - beforeSeconds)
  const scale = { from: -beforeSeconds, to: watchSeconds }
  const xs = seconds.map((second) => x(second + 0.5, scale))
  const lines = [
    { kind: 'cold', warmed: false },
    { kind: 'warmed', warmed: true },
  ].map(({ kind, warmed }) => {
    const mine = upgrades.filter((upgrade) => upgrade.warmed === warmed)
    return { kind, figures: seconds.map((from) => figuresIn(mine, { from, to: from + 1 })) }
  })
  const highest = niceAbove(Math.max(...lines.flatMap(({ figures }) => figures.map(({ p99Ms }) => p99Ms).filter(Number.isFinite))))
  const [middle, bottom] = [top + panelHeight + gap, top + 2 * panelHeight + gap]
  const firstX = fixed(x(0, scale))
  const key = '<tspan class="keyCold">cold</tspan> and <tspan class="keyWarmed">warmed</tspan>'
  return [
    ...opening(bottom + 40, 'v2 after an upgrade, with a cold cache and a warmed one', style),
    ...panel(`latency of requests, ms, p99 and (dashed) p50: ${key}`, top - 14, top, highest),
    ...panel('hit ratio of v2, %', middle - 10, middle, 100),
    `<path class="first" d="M${firstX} ${top}V${bottom}"/>`,
    ...lines.flatMap(({ kind, figures }) => [
      line(
        `${kind} half`,
        xs,
        figures.map(({ p50Ms }) => p50Ms),
        top,
        highest,
      ),
      line(
        kind,
        xs,
        figures.map(({ p99Ms }) => p99Ms),
        top,
        highest,
      ),
      line(
        kind,
        xs,
        figures.map(({ hitRatio }) => hitRatio * 100),
        middle,
        100,
      ),
    ]),
    `<text x="${firstX}" y="${bottom + 18}" text-anchor="middle">v2 serves</text>`,
    ...seconds
      .filter((second) => second > 0 && second % 5 === 0)
      .map((second) => `<text x="${fixed(x(second, scale))}" y="${bottom + 18}" text-anchor="middle">${second} s</text>`),
    '</svg>\n',
  ].join('\n')
}
