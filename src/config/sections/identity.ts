import { z } from 'zod'
import type { GroupsSeparator, IdentityHeaderNames } from '../../identity/identity-headers.ts'
import { choice } from '../values/basics.ts'
import { headerName } from '../values/header.ts'
import { leaf, report } from '../values/leaf.ts'
import { map } from '../values/reader.ts'

/**
 * Sets of names that apps read, by what they are called in the file. `x-forwarded` and
 * `x-auth-request` are those of oauth2-proxy, which has none for a display name; `grafana` those
 * of the examples in its manual. Each of them is a name that no client gets past any app's door
 * with (`lib/header-families`), chosen or not.
 */
export const IDENTITY_PRESETS = {
  remote: {
    user: 'Remote-User',
    groups: 'Remote-Groups',
    name: 'Remote-Name',
    email: 'Remote-Email',
  },
  'x-forwarded': {
    user: 'X-Forwarded-User',
    groups: 'X-Forwarded-Groups',
    email: 'X-Forwarded-Email',
    username: 'X-Forwarded-Preferred-Username',
  },
  'x-auth-request': {
    user: 'X-Auth-Request-User',
    groups: 'X-Auth-Request-Groups',
    email: 'X-Auth-Request-Email',
    username: 'X-Auth-Request-Preferred-Username',
  },
  grafana: {
    user: 'X-WEBAUTH-USER',
    groups: 'X-WEBAUTH-GROUPS',
    name: 'X-WEBAUTH-NAME',
    email: 'X-WEBAUTH-EMAIL',
  },
  none: {},
} as const satisfies Readonly<Record<string, IdentityHeaderNames>>

type PresetName = keyof typeof IDENTITY_PRESETS

const preset = choice(['remote', 'x-forwarded', 'x-auth-request', 'grafana', 'none'])

const SEPARATORS = {
  comma: ',',
  semicolon: ';',
  pipe: '|',
  space: ' ',
} as const satisfies Readonly<Record<string, GroupsSeparator>>

/** Names of one's own; what is left out is as in the preset. */
export const identityHeadersSchema = z.strictObject({
  preset: leaf(preset).default('remote'),
  user: leaf(headerName).optional(),
  groups: leaf(headerName).optional(),
  name: leaf(headerName).optional(),
  email: leaf(headerName).optional(),
  username: leaf(headerName).optional(),
})

/** `headers` of an app: a preset's name, or names. */
const headers = z
  .preprocess((raw, context) => {
    if (typeof raw !== 'string') return raw
    const reading = preset(raw)
    if (reading.kind === 'value') return { preset: reading.value }
    report(context, reading.faults)
    return z.NEVER
  }, identityHeadersSchema)
  .transform(({ preset: base, ...own }): IdentityHeaderNames => {
    const given = Object.entries(own).filter(([, name]) => name !== undefined)
    return { ...presetNames(base), ...Object.fromEntries(given) }
  })

/** Keys of an app: under which names, and in which form, it is told who is asking. */
export const identityKeys = {
  headers: headers.prefault({}),
  groups_separator: leaf(
    map(choice(['comma', 'semicolon', 'pipe', 'space']), (word) => SEPARATORS[word]),
  ).default(','),
}

function presetNames(name: PresetName): IdentityHeaderNames {
  return IDENTITY_PRESETS[name]
}
