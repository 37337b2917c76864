import { z } from 'zod'
import { openApi } from '../openapi.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

/** The description of all routes, itself among them. */
export function openApiRoutes(
  portalUrl: string,
  all: () => readonly ApiRoute[],
): readonly ApiRoute[] {
  let made: object | undefined
  return [
    apiRoute({
      method: 'GET',
      path: '/openapi.json',
      operationId: 'describeApi',
      tag: 'Description',
      summary: 'This description (OpenAPI 3.1)',
      stage: 'anyone',
      answers: { 200: { description: 'An OpenAPI document', schema: z.looseObject({}) } },
      handle: async () => {
        made ??= openApi(all(), portalUrl)
        return { kind: 'json', status: 200, body: made }
      },
    }),
  ]
}
