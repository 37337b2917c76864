/** A form of a page, as a browser would send it. */
export type Form = {
  /** As written; empty: the page's own address. */
  readonly action: string
  readonly method: 'get' | 'post'
  readonly id: string
  /** Controls that would be sent, in order, with the values they have. Buttons are not among them. */
  readonly fields: readonly FormField[]
  readonly buttons: readonly FormButton[]
}

export type FormField = {
  readonly name: string
  readonly value: string
  readonly type: string
  /** Unticked boxes are not sent unless the visitor ticks them. */
  readonly sent: boolean
}

export type FormButton = {
  readonly name: string
  readonly value: string
  readonly text: string
  /** `formaction`, when the button has its own. */
  readonly action?: string
}

/** The forms of a page, in order. Enough HTML for pages written with care; not a parser of any page. */
export function parseForms(html: string): readonly Form[] {
  const page = html.replace(/<!--[\s\S]*?-->/g, '').replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, '')
  return [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(
    ([, tag = '', inside = '']) => {
      const attributes = parseAttributes(tag)
      return {
        action: attributes.get('action') ?? '',
        method: attributes.get('method')?.toLowerCase() === 'post' ? 'post' : 'get',
        id: attributes.get('id') ?? '',
        ...parseControls(inside),
      }
    },
  )
}

/** Attributes of the first `<NAME …>` tag for which `accept` holds; `undefined` when there is none. */
export function findTag(
  html: string,
  name: string,
  accept: (attributes: ReadonlyMap<string, string>) => boolean = () => true,
): ReadonlyMap<string, string> | undefined {
  for (const [, tag = ''] of html.matchAll(new RegExp(`<${name}\\b([^>]*)>`, 'gi'))) {
    const attributes = parseAttributes(tag)
    if (accept(attributes)) return attributes
  }
  return undefined
}

/** Text with its tags removed and its character references resolved. */
export function textOf(html: string): string {
  const visible = html
    .replace(/<!--[\s\S]*?-->|<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
  return decodeEntities(visible).replace(/\s+/g, ' ').trim()
}

const CONTROL =
  /<input\b([^>]*)>|<textarea\b([^>]*)>([\s\S]*?)<\/textarea>|<select\b([^>]*)>([\s\S]*?)<\/select>|<button\b([^>]*)>([\s\S]*?)<\/button>/gi

function parseControls(html: string): Pick<Form, 'fields' | 'buttons'> {
  const fields: FormField[] = []
  const buttons: FormButton[] = []
  for (const match of html.matchAll(CONTROL)) {
    const [, input, textarea, written = '', select, options = '', button, label = ''] = match
    const attributes = parseAttributes(input ?? textarea ?? select ?? button ?? '')
    if (attributes.has('disabled')) continue
    const name = attributes.get('name') ?? ''
    const type = attributes.get('type')?.toLowerCase() ?? (input === undefined ? 'submit' : 'text')
    const value = attributes.get('value') ?? ''
    if (button !== undefined || (input !== undefined && /^(?:submit|image|button)$/.test(type))) {
      const action = attributes.get('formaction')
      if (type !== 'submit') continue
      buttons.push({
        name,
        value,
        text: button === undefined ? value : textOf(label),
        ...(action === undefined ? {} : { action }),
      })
    } else if (name === '' || type === 'reset') {
      // Never sent.
    } else if (textarea !== undefined) {
      fields.push({ name, type: 'textarea', value: decodeEntities(written), sent: true })
    } else if (select !== undefined) {
      fields.push({ name, type: 'select', value: selected(options), sent: true })
    } else {
      const box = type === 'checkbox' || type === 'radio'
      fields.push({
        name,
        type,
        value: box ? (attributes.get('value') ?? 'on') : value,
        sent: !box || attributes.has('checked'),
      })
    }
  }
  return { fields, buttons }
}

function selected(options: string): string {
  const all = [...options.matchAll(/<option\b([^>]*)>([^<]*)/gi)].map(([, tag = '', text = '']) => {
    const attributes = parseAttributes(tag)
    return {
      value: attributes.get('value') ?? decodeEntities(text).trim(),
      chosen: attributes.has('selected'),
    }
  })
  return (all.find((option) => option.chosen) ?? all[0])?.value ?? ''
}

function parseAttributes(tag: string): ReadonlyMap<string, string> {
  const pattern = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g
  return new Map(
    [...tag.matchAll(pattern)].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decodeEntities(double ?? single ?? bare ?? ''),
    ]),
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
}

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));/gi,
    (all, hex, decimal, name) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
      return ENTITIES[name] ?? all
    },
  )
}
