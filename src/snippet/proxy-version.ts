/** A proxy's version, e.g. `2.6.12`: major, minor, patch. */
export type ProxyVersion = readonly [major: number, minor: number, patch: number]

/** Reads `2.6`, `v3.7.12` or `2.6.12-1+deb12u4`; `undefined` for anything else. */
export function parseProxyVersion(text: string): ProxyVersion | undefined {
  const match = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+~][\w.+~-]{0,64})?$/.exec(text)
  if (match === null) return undefined
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
}

/** Whether a known version is older than this one; what is not known is not. */
export function isBefore(version: ProxyVersion | undefined, other: ProxyVersion): boolean {
  if (version === undefined) return false
  for (const [i, part] of version.entries()) {
    const against = other[i] ?? 0
    if (part !== against) return part < against
  }
  return false
}

export function versionText(version: ProxyVersion): string {
  return version.join('.')
}
