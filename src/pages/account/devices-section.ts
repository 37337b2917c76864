import { type Html, html } from '../html.ts'
import { instant } from '../instant.ts'
import { withQuery } from '../link.ts'
import type { Catalogue } from '../text/fr.ts'
import { section } from './section.ts'

/** A passkey or an authenticator app, as its owner tells it from the others. */
export type DeviceView = {
  readonly id: string
  readonly label: string
  readonly addedAt: number
  /** 0: never. */
  readonly lastUsedAt: number
}

/** Devices of one kind, each to rename and to remove, and the way to another. */
export function devicesSection(
  text: Catalogue,
  kind: {
    readonly id: string
    readonly devices: readonly DeviceView[]
    readonly renamePath: string
    readonly removePath: string
    /** Absent: there can be no other. */
    readonly addPath?: string
    readonly words: { readonly heading: string; readonly none: string; readonly add: string }
  },
): Html {
  const { devices, words } = kind
  return section(
    kind.id,
    words.heading,
    html`${
      devices.length === 0
        ? html`<p>${words.none}</p>\n`
        : html`<ul class="cards">${devices.map((device) => deviceCard(text, kind, device))}</ul>\n`
    }${
      kind.addPath !== undefined &&
      html`<p><a class="button quiet" href="${kind.addPath}">${words.add}</a></p>`
    }`,
  )
}

function deviceCard(
  text: Catalogue,
  paths: { readonly renamePath: string; readonly removePath: string },
  { id, label, addedAt, lastUsedAt }: DeviceView,
): Html {
  const page = text.accountPage
  const link = (path: string, words: string) =>
    html`<a href="${withQuery(path, 'id', id)}">${words}<span class="vh">${text.colon} ${label}</span></a>`
  return html`<li><strong><bdi>${label}</bdi></strong><span class="hint">${page.addedAt} ${instant(text, addedAt)}, ${
    lastUsedAt === 0 ? page.neverUsed : html`${page.lastUsedAt} ${instant(text, lastUsedAt)}`
  }</span><p class="aside">${link(paths.renamePath, page.rename)} | ${link(paths.removePath, page.remove)}</p></li>
`
}
