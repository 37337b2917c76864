import type { PasskeyProblem } from '../../pages/sign-in/passkey-problem.ts'
import type { Form } from '../form.ts'

/**
 * Why a form brings no passkey, by the name of what the browser threw (WebAuthn Level 3, sections
 * 5.1.3 and 5.1.4); `undefined` when it brings one.
 */
export function passkeyFailure(form: Form, use: 'get' | 'create'): PasskeyProblem | undefined {
  if (form.value('credential') !== '') return undefined
  switch (form.value('webauthn_error')) {
    case 'NoJavaScript':
      return 'no_script'
    case 'NotSupported':
    case 'NotSupportedError':
    case 'SecurityError':
      return 'unsupported'
    case 'InvalidStateError':
      return use === 'create' ? 'known' : 'unused'
    default:
      return use === 'create' ? 'not_made' : 'unused'
  }
}
