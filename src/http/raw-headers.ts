/** Header fields as Node received them: name, value, name, value, … */
export type RawHeaders = readonly string[]

export type SingleHeader =
  | { readonly kind: 'one'; readonly value: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'repeated' }

const ABSENT: SingleHeader = { kind: 'absent' }
const REPEATED: SingleHeader = { kind: 'repeated' }

/** The field of this name (lower case) when it was sent exactly once. */
export function singleHeader(headers: RawHeaders, name: string): SingleHeader {
  let found: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], name)) continue
    if (found !== undefined) return REPEATED
    found = headers[i + 1] ?? ''
  }
  return found === undefined ? ABSENT : { kind: 'one', value: found }
}

/** The field's value when it was sent exactly once; absent and repeated are not told apart. */
export function onlyHeader(headers: RawHeaders, name: string): string | undefined {
  let found: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], name)) continue
    if (found !== undefined) return undefined
    found = headers[i + 1] ?? ''
  }
  return found
}

/** Every value of this field (name in lower case), in order. */
export function headerValues(headers: RawHeaders, name: string): readonly string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (isNamed(headers[i], name)) values.push(headers[i + 1] ?? '')
  }
  return values
}

/** The first value of this field, or `undefined`: for fields whose repetition does no harm. */
export function firstHeader(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (isNamed(headers[i], name)) return headers[i + 1]
  }
  return undefined
}

/** Lower case is made only of what has the length and the first letter: it costs a new string. */
function isNamed(header: string | undefined, name: string): boolean {
  return (
    header?.length === name.length &&
    (header.charCodeAt(0) | 0x20) === name.charCodeAt(0) &&
    (header === name || header.toLowerCase() === name)
  )
}
