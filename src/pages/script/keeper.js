const url = '/.sallyport/session'
const fr = document.documentElement.lang.startsWith('fr')
const words = fr
  ? [
      'Votre session se termine dans moins de deux minutes.',
      'Rester connecté',
      'Votre session est terminée. Ce que vous avez saisi est encore là.',
      'Se reconnecter',
      'Fermer',
    ]
  : [
      'Your session ends in less than two minutes.',
      'Stay signed in',
      'Your session has ended. What you typed is still here.',
      'Sign in again',
      'Close',
    ]
const host = document.createElement('div')
const root = host.attachShadow({ mode: 'open' })
const sheet = new CSSStyleSheet()
sheet.replaceSync(
  'div{position:fixed;z-index:2147483647;right:1rem;bottom:1rem;max-width:22rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:#182024;background:#fff;border:1px solid #76858c;border-radius:.5rem;box-shadow:0 4px 16px #0004}p{margin:0 0 .5rem}button{min-height:2.75rem;padding:0 1rem;font:inherit;margin-right:.5rem}',
)
root.adoptedStyleSheets = [sheet]
const box = document.createElement('div')
box.setAttribute('role', 'alert')
root.append(box)

/** @type {number | undefined} */
let timer
let state = ''

/** @param {'GET' | 'POST'} method */
async function ask(method) {
  clearTimeout(timer)
  /** @type {{ state: string, ends_in: number, extends: boolean }} */
  let now
  try {
    const answer = await fetch(url, {
      method,
      body: method === 'POST' ? new URLSearchParams() : null,
    })
    if (!answer.ok) throw answer
    now = await answer.json()
  } catch {
    timer = setTimeout(ask, 6e4, 'GET')
    return
  }
  const left = now.ends_in
  const next = now.state === 'none' ? 'ended' : left > 120 ? 'active' : 'ending'
  if (next !== 'ended') {
    timer = setTimeout(
      ask,
      1e3 * (left > 120 ? Math.min(left - 119, 1e6) : Math.min(left + 1, 15)),
      'GET',
    )
  }
  // Where nobody was signed in to begin with, nothing has ended.
  if (next !== state && (next !== 'ended' || state !== '')) show(next, now)
  if (next !== 'ended' || state !== '') state = next
}

/** @param {string} next @param {{ ends_in: number, extends: boolean }} now */
function show(next, now) {
  const event = new CustomEvent('sallyport:session', {
    cancelable: true,
    detail: { state: next, endsIn: now.ends_in },
  })
  // Whoever prevents it has words of their own.
  if (!document.dispatchEvent(event) || next === 'active') return host.remove()
  const stays = next === 'ending' && now.extends
  const text = document.createElement('p')
  text.textContent = words[next === 'ending' ? 0 : 2] ?? ''
  const go = () => {
    if (stays) void ask('POST')
    else open('/.sallyport/resumed?again=1', '', 'popup,width=480,height=720')
  }
  box.replaceChildren(
    text,
    button(words[stays ? 1 : 3], go),
    button(words[4], () => host.remove()),
  )
  document.body.append(host)
}

/** @param {string | undefined} label @param {() => void} act */
const button = (label = '', act) => {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = label
  made.onclick = act
  return made
}

new BroadcastChannel('sallyport').onmessage = () => void ask('GET')
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void ask('GET')
})
void ask('GET')
