/**
 * Browser and operating system in the words people use for them; empty where unknown.
 * Only for showing: the header says what the client likes it to say. An iPad may claim to be a Mac.
 * The time it takes is linear in the header's length.
 */
export function describeUserAgent(userAgent: string): {
  readonly browser: string
  readonly system: string
} {
  return { browser: find(BROWSERS, userAgent), system: find(SYSTEMS, userAgent) }
}

type Marks = readonly (readonly [name: string, marks: readonly string[]])[]

/** First match wins: browsers built on another one name that one as well. */
const BROWSERS: Marks = [
  ['Edge', ['Edg/', 'EdgA/', 'EdgiOS/', 'Edge/']],
  ['Opera', ['OPR/', 'OPT/', 'Opera']],
  ['Samsung Internet', ['SamsungBrowser/']],
  ['Firefox', ['Firefox/', 'FxiOS/']],
  ['Chrome', ['Chrome/', 'CriOS/', 'Chromium/']],
  ['Safari', ['Safari/']],
  ['curl', ['curl/']],
]

/** First match wins: Android names Linux, and iOS names Mac OS X. */
const SYSTEMS: Marks = [
  ['Android', ['Android']],
  ['iOS', ['iPhone', 'iPad', 'iPod']],
  ['ChromeOS', ['CrOS']],
  ['Windows', ['Windows']],
  ['macOS', ['Macintosh', 'Mac OS X']],
  ['Linux', ['Linux', 'X11']],
]

function find(table: Marks, userAgent: string): string {
  return table.find(([, marks]) => marks.some((mark) => userAgent.includes(mark)))?.[0] ?? ''
}
