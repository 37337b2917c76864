import type { Api } from '../api/api.ts'
import type { ApiDeps } from '../api/api-deps.ts'
import type { Settings } from '../config/settings.ts'
import { chooseLanguage } from '../http/language.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { PortalDeps } from '../portal/portal-deps.ts'

/**
 * The JSON API over the same core as the pages. Its routes and their shapes are loaded with the
 * first call: a start does not wait for them.
 */
export function createApiParts(
  base: Omit<ApiDeps, 'languageOf' | 'name' | 'isAdmin'>,
  settings: Settings,
): { readonly api: Api } & Pick<PortalDeps, 'describedApi'> {
  const [first = 'en', ...others] = settings.portal.languages
  const deps: ApiDeps = {
    ...base,
    name: settings.portal.name,
    isAdmin: ({ groups }) => groups.some((one) => settings.administrators.groups.includes(one)),
    languageOf: (visit) =>
      chooseLanguage([first, ...others], {
        chosen: undefined,
        kept: undefined,
        accept: firstHeader(visit.headers, 'accept-language'),
      }),
  }
  let loading: ReturnType<typeof load> | undefined
  const loaded = () => {
    loading ??= load(deps, settings.portal.url)
    return loading
  }
  return {
    api: async (visit, req) => (await loaded()).api(visit, req),
    /** For the page about it. */
    describedApi: async () => (await loaded()).described(),
  }
}

async function load(deps: ApiDeps, portalUrl: string) {
  const [{ createApi }, { apiRoutes }, { openApi }, { apiPageView }] = await Promise.all([
    import('../api/api.ts'),
    import('../api/api-routes.ts'),
    import('../api/openapi.ts'),
    import('../api/describe/page-view.ts'),
  ])
  const routes = apiRoutes(deps, portalUrl)
  return {
    api: createApi(deps, routes),
    described: () => apiPageView(openApi(routes, portalUrl)),
  }
}
