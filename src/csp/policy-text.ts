/** A policy as directives in order, each with its sources (CSP3 2.2.1). */
export type PolicyText = ReadonlyMap<string, readonly string[]>

/** Reads a serialized policy. Of a directive that comes twice the first counts, as in browsers. */
export function parsePolicy(text: string): PolicyText {
  const policy = new Map<string, readonly string[]>()
  for (const directive of text.split(';')) {
    const [name = '', ...sources] = directive.trim().split(/[ \t\r\n]+/)
    const key = name.toLowerCase()
    if (key !== '' && !policy.has(key)) policy.set(key, sources)
  }
  return policy
}

/** One line for each directive, without the semicolons between them. */
export function policyLines(policy: PolicyText): readonly string[] {
  return [...policy].map(([name, sources]) => [name, ...sources].join(' '))
}
