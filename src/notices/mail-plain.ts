import type { MailAction, MailWords } from './mail-words.ts'

/** The words as plain text, in lines of at most 72 characters; addresses are never broken. */
export function plainMail(words: MailWords, colon: string): string {
  const { alarm } = words
  const blocks = [
    words.greeting,
    `${words.title}.`,
    ...words.lead,
    ...action(words.action),
    words.facts.map(([name, value]) => `${name}${colon} ${value}`).join('\n'),
    ...words.notes,
    ...(alarm === undefined ? [] : [alarm.title, ...alarm.lines, ...action(alarm.action)]),
    // A line of two dashes and a space: what follows is no part of the message (RFC 3676 4.3).
    ['-- ', ...words.footer].join('\n'),
  ]
  return `${blocks.map(inLines).join('\n\n')}\n`
}

const WIDTH = 72

function action(button: MailAction | undefined): readonly string[] {
  return button === undefined ? [] : [button.url]
}

function inLines(block: string): string {
  return block
    .split('\n')
    .map((line) => (line === '-- ' ? line : wrapped(line)))
    .join('\n')
}

/** Broken at spaces only, so that what belongs together by a no-break space stays together. */
function wrapped(line: string): string {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > WIDTH) {
      lines.push(current)
      current = word
    } else current = current === '' ? word : `${current} ${word}`
  }
  return [...lines, current].join('\n')
}
