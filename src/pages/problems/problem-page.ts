import { html } from '../html.ts'
import { layout } from '../layout.ts'
import type { Brand, PageContext, ProblemView } from '../views.ts'
import { clip, problemContent, type Room } from './problem-content.ts'

/**
 * The page that stands in for an answer of the app. It stays under 8 KiB whatever the view holds:
 * proxies carry it in the answer to an auth request, and some keep no more than that.
 */
export function problemPage(context: PageContext, view: ProblemView): string {
  const page = render(context, view, ROOMY)
  return Buffer.byteLength(page) < MAX_BYTES ? page : render(context, view, TIGHT)
}

const MAX_BYTES = 8 * 1024

const ROOMY: Room = { name: 200, words: 1500, link: 2000 }
/** One character can take six bytes once escaped, and a name stands in the page three times. */
const TIGHT: Room = { name: 60, words: 100, link: 200 }

function render(context: PageContext, view: ProblemView, room: Room): string {
  const { self, brand } = context
  const fitted: PageContext = {
    ...context,
    self: self.length > room.link ? '' : self,
    brand: { ...withoutLongHelp(brand, room), name: clip(brand.name, room.name) },
  }
  const { title, body } = problemContent(fitted, view, room)
  return layout(fitted, { title }, html`<h1>${title}</h1>\n${body}`)
}

function withoutLongHelp(brand: Brand, room: Room): Brand {
  const { help = '', ...rest } = brand
  return help.length <= room.link ? brand : rest
}
