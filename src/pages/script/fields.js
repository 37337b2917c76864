const french = document.documentElement.lang === 'fr'
const words = french
  ? {
      show: 'Afficher',
      showPassword: 'Afficher le mot de passe',
      hide: 'Masquer',
      hidePassword: 'Masquer le mot de passe',
      shown: 'Votre mot de passe est visible.',
      hidden: 'Votre mot de passe est masqué.',
      caps: 'Verrouillage majuscules activé',
    }
  : {
      show: 'Show',
      showPassword: 'Show password',
      hide: 'Hide',
      hidePassword: 'Hide password',
      shown: 'Your password is visible.',
      hidden: 'Your password is hidden.',
      caps: 'Caps Lock is on',
    }

for (const field of document.querySelectorAll('input')) {
  if (field.type === 'password') revealable(field)
  if (field.autocomplete === 'one-time-code') sentWhenWhole(field)
}

/** A password can be looked at while it is typed; it is never sent or kept in view. */
/** @param {HTMLInputElement} field */
function revealable(field) {
  const button = document.createElement('button')
  const said = message('vh')
  const caps = message('hint')
  button.type = 'button'
  button.className = 'link'
  button.setAttribute('aria-controls', field.id)
  /** @param {boolean} visible */
  const turn = (visible) => {
    field.type = visible ? 'text' : 'password'
    button.textContent = visible ? words.hide : words.show
    button.setAttribute('aria-label', visible ? words.hidePassword : words.showPassword)
  }
  turn(false)
  button.addEventListener('click', () => {
    turn(field.type === 'password')
    said.textContent = field.type === 'password' ? words.hidden : words.shown
  })
  for (const name of ['keydown', 'keyup']) {
    field.addEventListener(name, (event) => {
      // Managers that fill in send events that are no keys.
      if (!(event instanceof KeyboardEvent)) return
      const on = event.getModifierState('CapsLock')
      if (caps.textContent !== (on ? words.caps : '')) caps.textContent = on ? words.caps : ''
    })
  }
  field.addEventListener('blur', () => {
    caps.textContent = ''
  })
  field.form?.addEventListener('submit', () => turn(false))
  addEventListener('pageshow', (event) => {
    if (event.persisted) turn(false)
  })
  field.after(caps, button, said)
}

/** An empty line that is read out when it is filled in. */
/** @param {string} look */
function message(look) {
  const line = document.createElement('p')
  line.className = look
  line.setAttribute('role', 'status')
  return line
}

/**
 * A code that is pasted or filled in as a whole is sent; one that is typed waits for its button.
 */
/** @param {HTMLInputElement} field */
function sentWhenWhole(field) {
  const { form } = field
  if (form === null) return
  const others = form.querySelectorAll('input:not([type=hidden],[readonly],[type=checkbox])')
  let before = digits(field.value)
  field.addEventListener('input', () => {
    const now = digits(field.value)
    const whole = before === 0 && now === 6 && /^[\d\s-]*$/.test(field.value)
    before = now
    if (whole && others.length === 1) form.requestSubmit()
  })
}

/** @param {string} text */
function digits(text) {
  return text.replace(/\D/g, '').length
}
