/** Buttons that copy or print what is on the page; and a download that can be asked for again. */
for (const button of document.querySelectorAll('[data-copy]')) {
  const source = document.getElementById(button.getAttribute('data-copy') ?? '')
  // A clipboard is there on https and on this machine only.
  if (source === null || !navigator.clipboard) continue
  button.addEventListener('click', async () => {
    const codes = [...source.querySelectorAll('code')].map((code) =>
      (code.textContent ?? '').replace(/\s/g, ''),
    )
    await navigator.clipboard.writeText(codes.join('\n'))
    say(button)
  })
  show(button)
}

for (const button of document.querySelectorAll('[data-print]')) {
  button.addEventListener('click', () => print())
  show(button)
}

// A download leaves the page where it is: its button would rest for ever.
for (const form of document.querySelectorAll('form[action$="/download"]')) {
  form.addEventListener('submit', () => {
    setTimeout(() => {
      for (const button of form.querySelectorAll('button')) button.disabled = false
    }, 1000)
  })
}

/** @param {Element} button */
function show(button) {
  if (button.parentElement !== null) button.parentElement.hidden = false
}

/** Says below the button that it is done. @param {Element} button */
function say(button) {
  const old = button.parentElement?.querySelector('[role=status]')
  const done = old ?? document.createElement('span')
  done.className = 'hint'
  done.setAttribute('role', 'status')
  if (old == null) button.after(done)
  // Screen readers speak of what changes in it.
  setTimeout(() => {
    done.textContent = button.getAttribute('data-done')
  }, 100)
}
