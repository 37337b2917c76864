import type { MailLanguage } from './mail.ts'
import type { MailAction, MailWords } from './mail-words.ts'

/**
 * The words as one HTML document: a column of at most 600 px, every style inline, the system's font,
 * nothing that is fetched. Text and ground are the reader's own, so that it survives a program that
 * turns colours round; lines and the button are of a middle tone that reads on both.
 */
export function htmlMail(words: MailWords, language: MailLanguage, colon: string): string {
  const { alarm } = words
  return [
    '<!doctype html>',
    `<html lang="${language}" dir="ltr"><head><meta charset="utf-8">`,
    `<title>${escaped(words.subject)}</title>`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="supported-color-schemes" content="light dark"></head>',
    `<body style="margin:0;padding:0;${FONT}">`,
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>',
    '<td align="center" style="padding:24px 16px">',
    '<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"',
    ' style="width:100%;max-width:600px"><tr>',
    `<td align="left" style="${FONT}">`,
    `<h1 style="margin:0 0 20px;font-size:22px;line-height:1.3">${escaped(words.title)}</h1>`,
    ...[words.greeting, ...words.lead].map(paragraph),
    ...action(words.action),
    '<table role="presentation" cellpadding="0" cellspacing="0" border="0"',
    ` style="margin:0 0 16px;border-top:1px solid ${GREY}">`,
    ...words.facts.map(
      ([name, value]) =>
        `<tr><td style="${CELL}padding-right:16px">${escaped(name + colon)}</td>` +
        `<td style="${CELL}"><strong>${escaped(value)}</strong></td></tr>`,
    ),
    '</table>',
    ...words.notes.map(paragraph),
    ...(alarm === undefined
      ? []
      : [
          `<div style="margin:24px 0;padding:4px 0 4px 16px;border-left:4px solid ${GREY}">`,
          `<h2 style="margin:0 0 12px;font-size:18px;line-height:1.3">${escaped(alarm.title)}</h2>`,
          ...alarm.lines.map(paragraph),
          ...action(alarm.action),
          '</div>',
        ]),
    `<p style="margin:24px 0 0;padding-top:12px;border-top:1px solid ${GREY};font-size:14px">`,
    words.footer.map(linked).join('<br>'),
    '</p></td></tr></table></td></tr></table></body></html>',
  ]
    .join('\n')
    .concat('\n')
}

const FONT =
  "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Ubuntu,'Helvetica Neue',Arial,sans-serif"
const GREY = '#8a8a8a'
const CELL = `padding:6px 0;${FONT};vertical-align:top;border-bottom:1px solid ${GREY};`
/** Text on it 5.6 to 1. */
const BUTTON = 'background:#3560b8;color:#f6f6f6;border:1px solid #3560b8'

/** The button and, for who does not trust it or cannot press it, the address itself. */
function action(button: MailAction | undefined): readonly string[] {
  if (button === undefined) return []
  const url = escaped(button.url)
  return [
    `<p style="margin:0 0 12px"><a href="${url}" style="display:inline-block;padding:12px 24px;`,
    `${BUTTON};border-radius:6px;text-decoration:none;font-weight:600">${escaped(button.label)}</a></p>`,
    `<p style="margin:0 0 16px;font-size:14px;word-break:break-all"><a href="${url}">${url}</a></p>`,
  ]
}

function paragraph(text: string): string {
  return `<p style="margin:0 0 16px">${escaped(text)}</p>`
}

/** Addresses of ours, which stand at a line's end, as links. For lines without a person's words. */
function linked(text: string): string {
  const [, before = '', url = ''] = /^(.*(?:, |: |\? ))(https?:\/\/[^\s<>"']+)$/su.exec(text) ?? []
  if (url === '') return escaped(text)
  return `${escaped(before)}<a href="${escaped(url)}">${escaped(url)}</a>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
