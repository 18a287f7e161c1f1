/** Enough of a TypeScript scanner to tell code from comments and text, for the tests that hold rules over the sources. */

export interface ScannedSource {
  /** Comments blanked, text kept. */
  readonly code: string
  /** Comments blanked and what stands inside quotes, backticks and regular expressions too; lines and columns stay. */
  readonly bare: string
}

const tokens = [
  /\/\/[^\n]*|\/\*[\s\S]*?\*\//y,
  /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/y,
  /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y,
] as const

/** What a division sign cannot follow, and a regular expression can. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\n]|=>|\breturn|\byield|\btypeof)\s*$/

export function scanSource(text: string): ScannedSource {
  let code = ''
  let bare = ''
  for (let at = 0; at < text.length; ) {
    const [comment, quoted, regex] = tokens.map((token) => matchAt(token, text, at))
    const isRegex = regex !== undefined && regex !== '' && beforeRegex.test(bare.slice(-80))
    const token = comment || quoted || (isRegex ? regex : '') || text.charAt(at)
    code += comment ? blank(token) : token
    bare += comment ? blank(token) : quoted || isRegex ? token.charAt(0) + blank(token.slice(1, -1)) + token.slice(-1) : token
    at += token.length
  }
  return { code, bare }
}

function matchAt(token: RegExp, text: string, at: number): string {
  const start = text.charAt(at)
  if (start !== '/' && start !== "'" && start !== '"' && start !== '`') return ''
  token.lastIndex = at
  return token.exec(text)?.[0] ?? ''
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

/** Every module that a source names: `import`, `import type`, `export … from`, `import()` and `import('…')` in a type. */
export function importsOf({ code }: ScannedSource): string[] {
  const forms = [
    /\b(?:import|export)\b[^'"`;=()]*?\bfrom\s*(['"])(.+?)\1/g,
    /\bimport\s*(['"])(.+?)\1/g,
    /\bimport\s*\(\s*(['"`])(.+?)\1/g,
    /\brequire\s*\(\s*(['"`])(.+?)\1/g,
  ]
  return forms.flatMap((form) => [...code.matchAll(form)].map(([, , name]) => name ?? ''))
}

/** Dynamic imports whose module is not written out: nothing can be said of them. */
export function computedImports({ bare }: ScannedSource): number {
  return [...bare.matchAll(/\bimport\s*\(\s*(?!['"`])/g)].length
}

/** The lines at brace depth 0, each with its number. */
export function topLevelLines({ bare }: ScannedSource): { line: number; text: string }[] {
  let depth = 0
  const lines: { line: number; text: string }[] = []
  for (const [index, text] of bare.split('\n').entries()) {
    if (depth === 0 && text.trim() !== '') lines.push({ line: index + 1, text })
    for (const char of text) depth += '{(['.includes(char) ? 1 : '})]'.includes(char) ? -1 : 0
  }
  return lines
}
