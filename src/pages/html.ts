import { raw, html as tag } from 'hono/html'

/** Markup that is safe to put into a page: everything dynamic in it was escaped. */
export type Html = ReturnType<typeof raw>

/** What may stand in a template. Strings are escaped, `Html` is kept, `false` and `undefined` vanish. */
export type Fragment = Html | string | number | false | undefined | readonly Fragment[]

/** Template tag for markup: escapes `& < > " '` in every value, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly Fragment[]): Html {
  const markup = tag(strings, ...values)
  if (markup instanceof Promise) throw new TypeError('a page must not wait for a value')
  return markup
}

/**
 * Takes text for finished markup as it is.
 *
 * SECURITY: only for markup this program drew itself (the logo, a QR code), never for a value
 * that came from a person, a client or an app.
 */
export function trustedMarkup(markup: string): Html {
  return raw(markup)
}
