/** Passkeys, in French. */
export const passkeysFr = {
  button: 'Se connecter avec une clé d’accès',
  step: {
    title: 'Clé d’accès',
    heading: 'Utilisez votre visage, votre empreinte ou votre code',
    lead: 'Votre appareil vérifie que c’est bien vous\u202f; aucun autre code ne vous sera demandé.',
    submit: 'Continuer',
    again: 'Réessayer',
    otherWays: 'Se connecter autrement',
    confirmOtherWays: 'Autre moyen',
  },
  enrol: {
    title: 'Ajoutez une clé d’accès',
    heading:
      'Connectez-vous plus vite avec votre visage, votre empreinte ou le code de votre appareil',
    lead: 'Une clé d’accès remplace le mot de passe et le code\u00a0: votre appareil la garde, et elle ne fonctionne que sur ce site.',
    required: 'Pour continuer, activez la validation en deux étapes.',
    shared: 'N’enregistrez pas de clé d’accès sur un appareil partagé.',
    submit: 'Continuer',
    later: 'Plus tard',
    key: 'J’ai une clé de sécurité USB ou NFC',
    keyLead:
      'Une clé sans code ni empreinte sert de seconde étape, après votre mot de passe. Elle ne permet pas de se connecter sans lui.',
    keySubmit: 'Ajouter une clé de sécurité',
    unavailable: 'Les clés d’accès ne peuvent pas être utilisées à cette adresse.',
  },
  problem: {
    unused: 'Aucune clé d’accès n’a été utilisée.',
    refused: 'Cette clé d’accès n’a pas été acceptée.',
    unknown:
      'Cette clé d’accès n’est plus associée à aucun compte ici. Vous pouvez la supprimer de votre appareil.',
    expired: 'Cette page est restée ouverte trop longtemps\u00a0: recommencez.',
    no_script: 'Les clés d’accès ont besoin de JavaScript, qui est désactivé dans ce navigateur.',
    unsupported: 'Ce navigateur ne permet pas d’utiliser une clé d’accès ici.',
    not_made: 'Aucune clé d’accès n’a été créée.',
    known: 'Cet appareil a déjà une clé d’accès pour ce compte.',
    full: 'Vous avez déjà 20 clés d’accès\u00a0: supprimez-en une d’abord.',
    label: 'Saisissez un nom',
  },
  list: {
    title: 'Vos clés d’accès',
    none: 'Vous n’avez pas de clé d’accès.',
    add: 'Ajouter une clé d’accès',
    removed: 'La clé d’accès est supprimée. Votre appareil ne la proposera plus s’il le permet.',
    renamed: 'Le nom est enregistré.',
    added: 'La clé d’accès est ajoutée.',
    back: 'Revenir à mon compte',
    change: 'Modifier',
  },
  one: {
    title: 'Clé d’accès',
    label: 'Nom',
    labelHint: 'Pour la reconnaître plus tard, par exemple «\u00a0Mon téléphone\u00a0».',
    save: 'Enregistrer',
    kind: 'Type',
    securityKey: 'clé de sécurité',
    provider: 'Conservée par',
    addedAt: 'Ajoutée le',
    lastUsedAt: 'Dernière utilisation',
    never: 'jamais',
    remove: 'Supprimer cette clé d’accès',
  },
  remove: {
    title: (label: string) => `Supprimer «\u00a0${label}\u00a0»\u202f?`,
    lead: 'Elle ne permettra plus de se connecter. Si l’appareil est perdu, fermez aussi ses sessions depuis votre compte.',
    submit: 'Supprimer',
    needed:
      'C’est votre seule seconde étape, et elle est obligatoire. Ajoutez d’abord une autre clé d’accès ou une application d’authentification.',
  },
  /** A name for what says nothing about itself. */
  label: (browser: string, system: string) =>
    browser === '' && system === ''
      ? 'Clé d’accès'
      : [browser, system].filter((part) => part !== '').join(' sur '),
  keyLabel: 'Clé de sécurité',
}

/** Passkeys, in English. */
export const passkeysEn = {
  button: 'Sign in with a passkey',
  step: {
    title: 'Passkey',
    heading: 'Use your face, fingerprint or PIN',
    lead: 'Your device checks that it is you; you will not be asked for another code.',
    submit: 'Continue',
    again: 'Try again',
    otherWays: 'Sign in another way',
    confirmOtherWays: 'Another way',
  },
  enrol: {
    title: 'Add a passkey',
    heading: 'Sign in faster with your face, fingerprint or device PIN',
    lead: 'A passkey replaces your password and code: your device keeps it, and it only works on this site.',
    required: 'To continue, turn on two-step verification.',
    shared: 'Do not save a passkey on a shared device.',
    submit: 'Continue',
    later: 'Later',
    key: 'I have a USB or NFC security key',
    keyLead:
      'A key without a PIN or fingerprint is a second step after your password. It cannot sign you in on its own.',
    keySubmit: 'Add a security key',
    unavailable: 'Passkeys cannot be used at this address.',
  },
  problem: {
    unused: 'No passkey was used.',
    refused: 'This passkey was not accepted.',
    unknown:
      'This passkey no longer belongs to any account here. You can delete it from your device.',
    expired: 'This page was open for too long: please start again.',
    no_script: 'Passkeys need JavaScript, which is turned off in this browser.',
    unsupported: 'This browser cannot use a passkey here.',
    not_made: 'No passkey was created.',
    known: 'This device already has a passkey for this account.',
    full: 'You already have 20 passkeys: remove one first.',
    label: 'Enter a name',
  },
  list: {
    title: 'Your passkeys',
    none: 'You have no passkeys.',
    add: 'Add a passkey',
    removed: 'The passkey was removed. Your device will stop offering it if it can.',
    renamed: 'The name was saved.',
    added: 'The passkey was added.',
    back: 'Back to my account',
    change: 'Change',
  },
  one: {
    title: 'Passkey',
    label: 'Name',
    labelHint: 'To recognise it later, for example “My phone”.',
    save: 'Save',
    kind: 'Kind',
    securityKey: 'security key',
    provider: 'Kept by',
    addedAt: 'Added on',
    lastUsedAt: 'Last used',
    never: 'never',
    remove: 'Remove this passkey',
  },
  remove: {
    title: (label: string) => `Remove “${label}”?`,
    lead: 'You will no longer be able to sign in with it. If the device is lost, sign out its sessions from your account too.',
    submit: 'Remove',
    needed:
      'It is your only second step, and you must have one. Add another passkey or an authenticator app first.',
  },
  label: (browser: string, system: string) =>
    browser === '' && system === ''
      ? 'Passkey'
      : [browser, system].filter((part) => part !== '').join(' on '),
  keyLabel: 'Security key',
} satisfies typeof passkeysFr
