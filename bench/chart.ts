/** Lines over time in panels, as parts of an SVG: by hand, readable on light and dark alike. Pure. */

export const width = 1000
export const panelHeight = 150
const left = 56
const right = 16

/** Of the time axis, ms. */
export interface Scale {
  readonly from: number
  readonly to: number
}

export const baseStyle = `
  text { font: 12px system-ui, sans-serif; fill: #444 }
  .title { font-weight: 600 }
  .axis, .grid { stroke: #8888; stroke-width: 1; fill: none }
  .grid { stroke-dasharray: 2 4 }
  @media (prefers-color-scheme: dark) { text { fill: #ccc } }`

export function opening(height: number, title: string, style: string): readonly string[] {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    `<style>${baseStyle}${style}\n</style>`,
  ]
}

export function panel(title: string, titleY: number, top: number, most: number): readonly string[] {
  const rows = [0, 0.5, 1].map((share) => {
    const y = top + panelHeight * (1 - share)
    return `<path class="grid" d="M${left} ${y}H${width - right}"/><text x="${left - 8}" y="${y + 4}" text-anchor="end">${fixed(most * share)}</text>`
  })
  return [
    `<text class="title" x="${left}" y="${titleY}">${title}</text>`,
    ...rows,
    `<path class="axis" d="M${left} ${top}V${top + panelHeight}H${width - right}"/>`,
  ]
}

/** What is no number has no place in it. */
export function line(kind: string, xs: readonly number[], values: readonly number[], top: number, most: number): string {
  const points = values.flatMap((value, at) =>
    Number.isFinite(value) ? [`${fixed(xs[at] ?? 0)},${fixed(top + panelHeight * (1 - value / most))}`] : [],
  )
  return `<polyline class="${kind}" points="${points.join(' ')}"/>`
}

export function x(at: number, { from, to }: Scale): number {
  return left + ((Math.max(from, Math.min(to, at)) - from) / (to - from)) * (width - left - right)
}

/** 1, 2 or 5 times a power of ten. */
export function niceAbove(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((times) => times * unit >= value) ?? 10) * unit
}

export function fixed(value: number): string {
  return String(Math.round(value * 10) / 10)
}
