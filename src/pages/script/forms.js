/** A form is sent once: its buttons rest until the page is left, and work again on return. */
for (const form of document.forms) {
  form.addEventListener('submit', () => {
    // The button that was pressed is part of what is sent: it rests only after that was read.
    setTimeout(() => rest(form, true))
  })
}

// A page that comes back from the browser's memory was left with its buttons at rest.
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const form of document.forms) rest(form, false)
})

/** @param {HTMLFormElement} form @param {boolean} resting */
function rest(form, resting) {
  for (const button of form.querySelectorAll('button')) {
    if (button.type === 'submit') button.disabled = resting
  }
}
