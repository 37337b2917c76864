// `data-seconds` on the length of time a page says to wait, and a link that is for afterwards.
for (const shown of document.querySelectorAll('[data-seconds]')) {
  if (!(shown instanceof HTMLElement)) continue
  const end = performance.now() + Number(shown.dataset['seconds']) * 1000
  const then = document.getElementById('afterwards')
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000))
    shown.textContent = clock(left)
    if (left > 0) return
    clearInterval(timer)
    if (then === null) return
    then.hidden = false
    const said = shown.closest('p')
    if (said !== null) said.hidden = true
  }, 1000)
}

/** Minutes and seconds, with hours where there are any; the same in every language. */
/** @param {number} seconds */
function clock(seconds) {
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60]
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600))
  return parts.map((part, at) => (at === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':')
}
