/** What a finished sign-in says to the other tabs of this origin. */
const SIGNED_IN = 'signed_in'

const channel = new BroadcastChannel('sallyport')

const resend = document.getElementById('resend')
if (resend instanceof HTMLButtonElement) {
  // It can be used in any case: whoever is not signed in yet gets this page once more.
  resend.hidden = false
  resend.disabled = true
  const ready = () => {
    resend.disabled = false
    resend.focus()
  }
  channel.addEventListener('message', (event) => {
    if (event.data === SIGNED_IN) ready()
  })
  // The browser sends the same form again, with everything that was in it.
  resend.addEventListener('click', () => location.reload())
}

if (document.getElementById('resumed') !== null) channel.postMessage(SIGNED_IN)
