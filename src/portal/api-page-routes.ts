import { type ApiPageView, apiPage, apiPageMain } from '../pages/api/api-page.ts'
import type { Html } from '../pages/html.ts'
import { PATHS } from '../pages/paths.ts'
import type { Language } from '../pages/views.ts'
import type { PortalDeps } from './portal-deps.ts'
import type { Route } from './route.ts'
import { redirect } from './signing-in.ts'

/** The API's description for people, open to anyone as the document is. */
export function apiPageRoutes(deps: PortalDeps): readonly Route[] {
  let view: ApiPageView | undefined
  const made = new Map<Language, Html>()
  const mainOf = async (language: Language): Promise<Html> => {
    const known = made.get(language)
    if (known !== undefined) return known
    view ??= await deps.describedApi()
    const main = apiPageMain(language, view)
    made.set(language, main)
    return main
  }
  return [
    {
      method: 'GET',
      path: PATHS.api,
      handle: async (visit) => {
        const main = await mainOf(deps.frame.language(visit))
        return deps.frame.page(visit, 200, (page) => apiPage(page, main))
      },
    },
    {
      method: 'GET',
      path: PATHS.apiHome,
      handle: async () => redirect(PATHS.api),
    },
  ]
}
