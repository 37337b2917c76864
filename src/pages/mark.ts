/**
 * The mark: a gate with a second door inside it. Size and colour stand in attributes, so that it
 * is drawn well before, and without, the style sheet.
 */
export const MARK =
  '<svg class="mark" width="28" height="28" viewBox="0 0 28 28" aria-hidden="true" focusable="false">' +
  '<path d="M4 26V12a10 10 0 0 1 20 0v14" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round"/>' +
  '<path d="M9 26V13a5 5 0 0 1 10 0v13z" fill="currentColor"/>' +
  '<circle cx="16" cy="18.5" r="1.4" fill="#fff"/></svg>'

/**
 * The same mark for the browser's tab, as an address that holds it: no request is made for it.
 * Legible on light and dark tabs.
 */
export const ICON = `data:image/svg+xml,${[
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>",
  "<rect width='32' height='32' rx='7' fill='#0f5c6e'/>",
  "<path d='M7 26V15a9 9 0 0 1 18 0v11' fill='none' stroke='#fff' stroke-width='2.5'/>",
  "<path d='M11.5 26V15.5a4.5 4.5 0 0 1 9 0V26z' fill='#fff'/></svg>",
]
  .join('')
  .replace(/[<>#]/g, encodeURIComponent)}`
