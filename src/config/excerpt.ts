import { lineAt, lineStarts } from './line-index.ts'
import type { Excerpt, Span } from './problem.ts'

/** Cuts the line a span starts on out of the file, with the line before it. */
export type Excerpter = {
  readonly at: (span: Span) => {
    readonly line: number
    readonly column: number
    readonly excerpt: Excerpt
  }
}

const WIDTH = 110
const MASK = '•••'

/**
 * @param hiddenFrom for a line's index (from 0), the offset from which the rest is masked
 */
export function createExcerpter(
  text: string,
  hiddenFrom: (index: number) => number | undefined,
): Excerpter {
  const starts = lineStarts(text)

  const lineText = (index: number): string => {
    const raw = text.slice(starts[index], starts[index + 1]).replace(/\r?\n$/, '')
    const hidden = hiddenFrom(index)
    return visible(hidden === undefined ? raw : raw.slice(0, hidden) + MASK)
  }

  return {
    at: (span) => {
      const index = lineAt(starts, span.start)
      const offset = span.start - (starts[index] ?? 0)
      const line = lineText(index)
      const end = Math.min(
        offset + Math.max(1, span.end - span.start),
        Math.max(line.length, offset + 1),
      )
      const shift = Math.max(0, Math.min(offset - 20, end - WIDTH + 2))
      const cut = (whole: string) => clip(whole, shift)
      const number = index + 1
      return {
        line: number,
        column: offset + 1,
        excerpt: {
          lines: [
            ...(index === 0 ? [] : [{ number: number - 1, text: cut(lineText(index - 1)) }]),
            { number, text: cut(line) },
          ],
          caret: {
            offset: Math.min(offset - shift, WIDTH),
            length: Math.max(1, Math.min(end - offset, WIDTH - (offset - shift))),
          },
        },
      }
    },
  }
}

function clip(line: string, shift: number): string {
  const rest = shift > 0 ? `…${line.slice(shift + 1)}` : line
  return rest.length > WIDTH ? `${rest.slice(0, WIDTH - 1)}…` : rest
}

/**
 * One column for each character that a terminal might act on or that would turn the text round.
 * Passwords in URLs and what looks like a key are masked, length kept.
 */
function visible(line: string): string {
  return line
    .replace(/\t/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => '\ufffd'.repeat(character.length))
    .replace(/:\/\/[^/@\s"']+(?=@)/g, (user) => `://${bullets(user.slice(3))}`)
    .replace(/[A-Za-z0-9+/_-]{32,}=*/g, (word) =>
      /[0-9]/.test(word) && /[a-z]/.test(word) ? bullets(word) : word,
    )
}

function bullets(text: string): string {
  return '•'.repeat(text.length)
}
