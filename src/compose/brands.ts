import type { BrandSettings } from '../config/sections/branding.ts'
import type { Settings } from '../config/settings.ts'
import type { ReturnTicket } from '../http/return-ticket.ts'
import type { Visit } from '../http/visit.ts'
import { type Asset, logo, stylesheetWith } from '../pages/assets.ts'
import type { Brand } from '../pages/views.ts'

/** How pages look, and the files that takes. */
export type Brands = {
  /**
   * Whose page it is: an app's where the page stands in for it, or leads on to it by the ticket in
   * its address; otherwise the portal's.
   */
  readonly of: (visit: Visit, self: string) => Brand
  readonly assets: readonly Asset[]
}

export function createBrands(
  settings: Pick<Settings, 'portal' | 'apps'>,
  deps: {
    /** Name of the app a host belongs to. */
    readonly appOf: (host: string) => { readonly name: string } | undefined
    readonly readTicket: (ticket: string) => ReturnTicket | undefined
  },
): Brands {
  const assets = new Map<string, Asset>()
  const pathOf = (asset: Asset): string => {
    assets.set(asset.path, asset)
    return asset.path
  }
  const dress = (base: Brand, own: BrandSettings = {}): Brand => ({
    ...base,
    ...(own.name === undefined ? {} : { name: own.name }),
    ...(own.help === undefined ? {} : { help: own.help }),
    ...(own.logo === undefined
      ? {}
      : {
          logo: {
            path: pathOf(logo(own.logo)),
            ...(own.logoDark === undefined ? {} : { dark: pathOf(logo(own.logoDark)) }),
          },
        }),
    ...(own.accent === undefined ? {} : { stylesheet: pathOf(stylesheetWith(own.accent)) }),
  })
  const { name, help, brand } = settings.portal
  const portal = dress({ name, ...(help === undefined ? {} : { help }) }, brand)
  const apps = new Map(
    settings.apps
      .filter((app) => app.brand !== undefined)
      .map((app) => [app.name, dress(portal, app.brand)]),
  )
  const ofHost = (host: string): Brand => apps.get(deps.appOf(host)?.name ?? '') ?? portal

  return {
    of: (visit, self) => {
      if (apps.size === 0) return portal
      if (!visit.target.startsWith('/.sallyport/')) return ofHost(visit.host.name)
      const rt = new URLSearchParams(self.split('?')[1] ?? '').get('rt')
      const ticket = rt === null ? undefined : deps.readTicket(rt)
      if (ticket === undefined) return portal
      const { hostname, pathname } = new URL(ticket.url)
      // On the way to a page of ours there is no app to speak of.
      if (pathname.startsWith('/.sallyport/')) return portal
      return ofHost(hostname.replace(/^\[|\]$/g, ''))
    },
    assets: [...assets.values()],
  }
}
