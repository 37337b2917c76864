/** A canonical host name, or `*.` and a domain: every name below it, at any depth. */
export type HostPattern = {
  readonly source: string
  readonly covers: (host: string) => boolean
}

/** `host` must be canonical: lower case, no port, no trailing dot. */
export function compileHostPattern(source: string): HostPattern {
  if (!source.startsWith('*.')) return { source, covers: (host) => host === source }
  const suffix = source.slice(1)
  return { source, covers: (host) => host.length > suffix.length && host.endsWith(suffix) }
}
