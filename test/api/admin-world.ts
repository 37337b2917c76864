import type { Test } from 'tap'
import { createApiClient } from '../support/api-client.ts'
import type { Person } from '../support/people.ts'
import { type Answer, createWorld, type World } from './auth-world.ts'

export type AdminWorld = World & {
  /** Signed in with two factors, in the group `admins`. */
  readonly root: { readonly person: Person; readonly token: string; readonly id: string }
  /** As root, with a body or without; a body makes it `POST` unless told. */
  readonly admin: (
    route: `${'GET' | 'POST' | 'PATCH' | 'DELETE'} /${string}`,
    body?: unknown,
  ) => Promise<Answer>
  readonly idOf: (name: string) => Promise<string>
}

export const tokenOf = ({ body }: Answer): string => String(body['access_token'])

/** The list in a member of an answer. */
export function listIn({ body }: Answer, member: string): readonly Record<string, unknown>[] {
  const list = body[member]
  if (!Array.isArray(list)) throw new Error(`no ${member} in ${JSON.stringify(body)}`)
  return list
}

/** The program, and an administrator who has just signed in. Every answer is as described. */
export async function createAdminWorld(t: Test): Promise<AdminWorld> {
  const world = await createWorld(t)
  const person = await world.person('root', { groups: ['admins'] })
  const token = tokenOf(await world.signIn(person))
  const idOf = async (name: string) => {
    await using vault = await world.vault()
    return (await vault.store.accounts.byName(name))?.id ?? ''
  }
  const id = await idOf('root')
  const client = await createApiClient(world.home)
  const call: World['call'] = async (path, { token, body, method, headers } = {}) => {
    const sent = typeof body === 'object' && body !== null ? body : undefined
    const answer = await client.call(method ?? (sent === undefined ? 'GET' : 'POST'), path, sent, {
      token: token === undefined ? '' : String(token),
      ...(headers === undefined ? {} : { headers }),
    })
    const fields = typeof answer.body === 'object' && answer.body !== null ? answer.body : {}
    return {
      status: answer.status,
      headers: answer.headers,
      body: { ...fields },
      code: answer.at('code'),
    }
  }
  return {
    ...world,
    call,
    root: { person, token, id },
    idOf,
    admin: (route, body) => {
      const [method = '', path = ''] = route.split(' ')
      return call(`/admin${path}`, { token, method, ...(body === undefined ? {} : { body }) })
    },
  }
}
