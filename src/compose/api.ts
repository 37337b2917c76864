import { createApi } from '../api/api.ts'
import type { ApiDeps } from '../api/api-deps.ts'
import { apiRoutes } from '../api/api-routes.ts'
import { apiPageView } from '../api/describe/page-view.ts'
import { openApi } from '../api/openapi.ts'
import type { Settings } from '../config/settings.ts'
import { chooseLanguage } from '../http/language.ts'
import { firstHeader } from '../http/raw-headers.ts'

/** The JSON API over the same core as the pages. */
export function createApiParts(
  base: Omit<ApiDeps, 'languageOf' | 'name' | 'isAdmin'>,
  settings: Settings,
) {
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
  const routes = apiRoutes(deps, settings.portal.url)
  return {
    api: createApi(deps, routes),
    /** For the page about it. */
    described: () => apiPageView(openApi(routes, settings.portal.url)),
  }
}
