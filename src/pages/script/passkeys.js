/** Passkeys: the browser's dialog fills in the form, and the form is sent like any other. */
/** @type {typeof import('@simplewebauthn/browser')} */
const webauthn = Reflect.get(globalThis, 'SimpleWebAuthnBrowser')
const supported = webauthn.browserSupportsWebAuthn()
const opened = performance.now()
/** @type {HTMLFormElement[]} */
const forms = []

for (const button of document.querySelectorAll('button[data-passkey]')) {
  if (!(button instanceof HTMLButtonElement) || button.form === null) continue
  const { form } = button
  const use = button.dataset['passkey']
  const optionsJSON = JSON.parse(button.dataset['options'] ?? '{}')
  forms.push(form)
  clear(form)
  if (use === 'sign-in') {
    // What stands behind `#` is known to the browser alone: it stays with this way of signing in.
    form.action += location.hash
    if (!supported) continue
    button.hidden = false
    void wait(form, optionsJSON)
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (!supported) return send(form, 'NotSupported')
    try {
      const made =
        use === 'create'
          ? await webauthn.startRegistration({ optionsJSON })
          : await webauthn.startAuthentication({ optionsJSON })
      fill(form, 'credential', JSON.stringify(made))
      send(form, '')
    } catch (error) {
      send(form, error instanceof Error ? error.name : 'Error')
    }
  })
}

/**
 * Offers passkeys where the username is filled in.
 * @param {HTMLFormElement} form
 * @param {import('@simplewebauthn/browser').PublicKeyCredentialRequestOptionsJSON} optionsJSON
 */
async function wait(form, optionsJSON) {
  try {
    if (!(await webauthn.browserSupportsWebAuthnAutofill())) return
    const made = await webauthn.startAuthentication({ optionsJSON, useBrowserAutofill: true })
    fill(form, 'credential', JSON.stringify(made))
    send(form, '')
  } catch {
    // Given up for the button, or for the password.
  }
}

/** @param {HTMLFormElement} form @param {string} error */
function send(form, error) {
  fill(form, 'webauthn_error', error)
  const remember = document.getElementById('remember')
  if (remember instanceof HTMLInputElement && remember.checked) fill(form, 'remember', '1')
  form.submit()
}

/** @param {HTMLFormElement} form */
function clear(form) {
  fill(form, 'credential', '')
  fill(form, 'webauthn_error', 'NoJavaScript')
}

/** @param {HTMLFormElement} form @param {string} name @param {string} value */
function fill(form, name, value) {
  const field = form.elements.namedItem(name)
  if (field instanceof HTMLInputElement) field.value = value
}

addEventListener('pageshow', (event) => {
  if (event.persisted) for (const form of forms) clear(form)
})

// What a page asks with is good for five minutes. One that was left untouched is asked for anew
// when it is looked at again; an answer to a form is left alone.
const STALE = 270_000
addEventListener('visibilitychange', () => {
  if (document.hidden || performance.now() - opened < STALE) return
  if (document.querySelector('button[data-passkey="sign-in"]') === null) return
  const fields = [...document.querySelectorAll('input:not([type=hidden])')]
  const untouched = fields.every(
    (field) =>
      field instanceof HTMLInputElement &&
      field.value === field.defaultValue &&
      field.checked === field.defaultChecked,
  )
  if (untouched && document.querySelector('.es') === null) location.reload()
})

// Says with a sign-in that this browser could keep a passkey, so that one may be offered.
if (supported && location.pathname.startsWith('/.sallyport/login')) {
  Promise.all([
    webauthn.browserSupportsPasskeys(),
    webauthn.platformAuthenticatorIsAvailable(),
  ]).then((able) => {
    if (!able.includes(true)) return
    for (const form of document.forms) {
      if (forms.includes(form)) continue
      const mark = document.createElement('input')
      mark.type = 'hidden'
      mark.name = 'pk'
      mark.value = '1'
      form.append(mark)
    }
  }, ignore)
}

for (const told of document.querySelectorAll('[data-forget]')) {
  const credentialID = told.getAttribute('data-forget') ?? ''
  const rpID = told.getAttribute('data-rp') ?? ''
  webauthn.sendSignal({ signalName: 'unknownCredential', rpID, credentialID }).catch(ignore)
}
for (const told of document.querySelectorAll('[data-accepted]')) {
  const accepted = JSON.parse(told.getAttribute('data-accepted') ?? '{}')
  webauthn.sendSignal({ signalName: 'allAcceptedCredentials', ...accepted }).catch(ignore)
}

/** Not every browser can be told, or knows. */
function ignore() {}
