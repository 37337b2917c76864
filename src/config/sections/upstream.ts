import { resolve } from 'node:path'
import { z } from 'zod'
import { DAY, HOUR, MINUTE, SECOND } from '../../lib/duration.ts'
import { Secret } from '../../lib/secret.ts'
import type { UpstreamOptions, UpstreamTimeouts } from '../../proxy/upstreams.ts'
import { bad, type Fault, good } from '../problem.ts'
import { isMap } from '../readable.ts'
import { choice } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { host, isAddress, isLoopback } from '../values/host.ts'
import { leaf, report } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { type Origin, origin } from '../values/origin.ts'
import { type Reader, shown, textThen } from '../values/reader.ts'
import { pemFile, type UpstreamFiles } from './upstream-files.ts'

/** One place an app is reached at: an origin, or the path of a Unix socket as it is written. */
export type UpstreamAddress =
  | { readonly kind: 'origin'; readonly origin: Origin }
  | { readonly kind: 'socket'; readonly path: string }

/** Paths of sockets longer than this cannot be connected to (`sun_path`, unix(7)). */
const MAX_SOCKET_PATH = 107

const address: Reader<UpstreamAddress> = textThen<UpstreamAddress>((text) => {
  const path = /^unix:(.*)$/s.exec(text)?.[1]
  if (path === undefined) {
    const reading = origin(text)
    return reading.kind === 'value' ? good({ kind: 'origin', origin: reading.value }) : reading
  }
  const params = { value: shown(text), max: String(MAX_SOCKET_PATH) }
  if (path.startsWith('//')) return bad('bad_socket', params, `unix:${path.replace(/^\/+/, '/')}`)
  const sound = path !== '' && !/[\p{Cc}]/u.test(path) && !path.endsWith('/')
  if (!sound || Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    return bad('bad_socket', params)
  }
  return good({ kind: 'socket', path })
})

const addresses = listOf(address, {
  textOf: (one) => (one.kind === 'origin' ? one.origin.origin : one.path),
})

/** A path on an app, with a query when it needs one. */
const requestTarget: Reader<string> = textThen((text) => {
  if (!text.startsWith('/')) return bad('path_start', { value: shown(text) }, `/${text}`)
  return /^[!"$-~]{1,1024}$/.test(text) ? good(text) : bad('bad_target', { value: shown(text) })
})

/** The name a certificate must carry: never an address, which no server is asked for by name. */
const serverName: Reader<string> = (raw) => {
  const reading = host(raw)
  if (reading.kind === 'faults' || !isAddress(reading.value)) return reading
  return bad('host_invalid', { value: shown(reading.value) })
}

/** How to ask whether it is well. */
export const upstreamHealthSchema = z.strictObject({
  path: leaf(requestTarget),
  every: leaf(duration(SECOND, HOUR)).default(10 * SECOND),
  timeout: leaf(duration(SECOND, MINUTE)).default(2 * SECOND),
})

/** What an `https` upstream must prove, and what proves us. */
export const upstreamTlsSchema = z.strictObject({
  ca: leaf(pemFile).optional(),
  certificate: leaf(pemFile).optional(),
  key: leaf(pemFile).optional(),
  server_name: leaf(serverName).optional(),
})

/** Where an app is, at length. */
export const upstreamSchema = z.strictObject({
  urls: leaf(addresses),
  policy: leaf(choice(['first', 'round_robin'])).default('first'),
  health: upstreamHealthSchema.optional(),
  tls: upstreamTlsSchema.optional(),
})

/** The same; an address or a list of them stands for itself. */
export const upstream = z.preprocess((raw, context) => {
  if (isMap(raw)) return raw
  const reading = addresses(raw)
  if (reading.kind === 'value') return { urls: raw }
  report(context, reading.faults)
  return z.NEVER
}, upstreamSchema)

export type UpstreamFile = z.output<typeof upstreamSchema>

/** Time limits of an app that hold only where they are set: keys of `timeouts`. */
export const timeoutKeys = {
  idle: leaf(duration(SECOND, DAY)).optional(),
  total: leaf(duration(SECOND, DAY)).optional(),
}

/** What does not go together. Paths are relative to the app. */
export function checkUpstream(
  { urls, tls }: UpstreamFile,
  raw: unknown,
  listen: { readonly host: string; readonly port: number } | undefined,
): readonly Fault[] {
  const faults: Fault[] = []
  const top = isMap(raw) ? ['upstream', 'urls'] : ['upstream']
  const isList = Array.isArray(isMap(raw) ? raw['urls'] : raw)
  for (const [index, one] of urls.entries()) {
    if (one.kind === 'socket' || listen === undefined || !isSelf(one.origin, listen)) continue
    faults.push({ kind: 'upstream_is_self', path: isList ? [...top, index] : top })
  }
  if (tls === undefined) return faults
  const path = ['upstream', 'tls']
  if (!urls.some((one) => one.kind === 'origin' && one.origin.scheme === 'https')) {
    faults.push({ kind: 'upstream_tls_unused', path, part: 'key' })
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined)) {
    const [has, lacks] = tls.key === undefined ? ['certificate', 'key'] : ['key', 'certificate']
    faults.push({ kind: 'upstream_tls_half', params: { has, lacks }, path: [...path, has] })
  }
  return faults
}

/** @param options.directory what paths are relative to */
export function toUpstream(
  { urls, policy, health, tls }: UpstreamFile,
  options: { readonly directory: string; readonly files: UpstreamFiles },
): UpstreamOptions {
  const written = urls.map((one) =>
    one.kind === 'origin' ? one.origin.origin : `unix:${resolve(options.directory, one.path)}`,
  )
  const [first = '', ...others] = written
  const pem = (file: string | undefined) => (file === undefined ? undefined : options.files(file))
  const ca = pem(tls?.ca)
  const certificate = pem(tls?.certificate)
  const key = pem(tls?.key)
  return {
    urls: [first, ...others],
    policy,
    ...(health === undefined ? {} : { health }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(ca === undefined ? {} : { ca }),
            ...(certificate === undefined ? {} : { certificate }),
            ...(key === undefined ? {} : { key: new Secret(key) }),
            ...(tls.server_name === undefined ? {} : { serverName: tls.server_name }),
          },
        }),
  }
}

export function toTimeouts(file: {
  readonly connect: number
  readonly first_byte: number
  readonly idle?: number | undefined
  readonly total?: number | undefined
}): UpstreamTimeouts {
  return {
    connect: file.connect,
    firstByte: file.first_byte,
    ...(file.idle === undefined ? {} : { idle: file.idle }),
    ...(file.total === undefined ? {} : { total: file.total }),
  }
}

function isSelf(place: Origin, listen: { readonly host: string; readonly port: number }): boolean {
  if (place.port !== listen.port) return false
  const everywhere = listen.host === '0.0.0.0' || listen.host === '::'
  if (place.host === listen.host) return true
  return isLoopback(place.host) && (everywhere || isLoopback(listen.host))
}
