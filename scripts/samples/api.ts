import type { ApiDeps } from '../../src/api/api-deps.ts'
import { apiRoutes } from '../../src/api/api-routes.ts'
import { apiPageView } from '../../src/api/describe/page-view.ts'
import { openApi } from '../../src/api/openapi.ts'
import { apiPage, apiPageMain } from '../../src/pages/api/api-page.ts'
import type { SamplePage } from '../sample-pages.ts'

const PORTAL = 'https://auth.exemple.fr'

/** Routes are made of parts that none of them calls before it is asked. */
export const NO_PARTS: ApiDeps = new Proxy({} as ApiDeps, { get: () => NO_PARTS })

const VIEW = apiPageView(openApi(apiRoutes(NO_PARTS, PORTAL), PORTAL))

/** The description of the whole API. */
export const API_PAGES: readonly SamplePage[] = [
  {
    name: 'api',
    render: (context, change = (view) => view) =>
      apiPage(context, apiPageMain(context.language, change(VIEW))),
  },
]
