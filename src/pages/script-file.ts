import { readFileSync } from 'node:fs'

/**
 * Files of `script/` as one script for browsers, each in a block of its own so that their names do
 * not meet.
 */
export function scriptOf(names: readonly string[]): string {
  return names.map((name) => `{${sourceOf(name)}}`).join('\n')
}

/** A file of a package that browsers run as it is. */
export function packagedScript(specifier: string, path: string): string {
  const entry = import.meta.resolve(specifier)
  const root = entry.slice(0, entry.indexOf(`/node_modules/${specifier}/`))
  return readFileSync(new URL(`${root}/node_modules/${specifier}/${path}`), 'utf8')
}

/** Without what is there for whoever reads the source. */
function sourceOf(name: string): string {
  return (
    readFileSync(new URL(`script/${name}.js`, import.meta.url), 'utf8')
      .replace(/^\s*\/\*\*[\s\S]*?\*\/\s*$/gm, '')
      .replace(/^\s*\/\/.*$/gm, '')
      // The compiler's mark of a module.
      .replace(/^export \{\};?$/gm, '')
      .replace(/^\s+/gm, '')
  )
}
