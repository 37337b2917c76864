/** Pages of one-time links, in French. */
export const linksFr = {
  forgotten: {
    title: 'Mot de passe oublié',
    lead: 'Nous enverrons à votre adresse e\u2011mail un lien pour choisir un nouveau mot de passe.',
    identifier: 'Identifiant ou adresse e\u2011mail',
    empty: 'Saisissez votre identifiant ou votre adresse e\u2011mail',
    submit: 'Envoyer le lien',
    sentTitle: 'Vérifiez vos e\u2011mails',
    sent: 'Si un compte correspond, un e\u2011mail vient d’être envoyé. Vérifiez aussi les indésirables.',
    lasts: (length: string) => `Le lien fonctionne une seule fois, pendant ${length}.`,
    again: 'Renvoyer l’e\u2011mail',
    back: 'Revenir à la connexion',
  },
  invitation: {
    title: 'Créez votre compte',
    lead: 'Cette invitation ne sert qu’une fois. Adresse e\u2011mail\u00a0:',
    submit: 'Créer le compte',
  },
  signIn: {
    title: 'Retrouvez l’accès à votre compte',
    lead: (length: string) => `Ce lien vous connecte une seule fois, pour ${length} au plus.`,
    advice:
      'Aussitôt connecté, choisissez un nouveau mot de passe et rétablissez votre validation en deux étapes.',
    submit: 'Se connecter',
  },
  gone: {
    expired: 'Il a expiré.',
    gone: 'Il a déjà servi, un plus récent l’a remplacé, ou il n’a pas été copié en entier.',
    another: 'Demander un nouveau lien',
    ask: 'La personne qui gère ce service peut vous en donner un autre.',
  },
}

/** The same in English. */
export const linksEn = {
  forgotten: {
    title: 'Forgotten password',
    lead: 'We will email you a link to choose a new password.',
    identifier: 'Username or email address',
    empty: 'Enter your username or your email address',
    submit: 'Send the link',
    sentTitle: 'Check your email',
    sent: 'If an account matches, an email has just been sent. Check your spam folder too.',
    lasts: (length: string) => `The link works once, within ${length}.`,
    again: 'Send it again',
    back: 'Back to sign-in',
  },
  invitation: {
    title: 'Create your account',
    lead: 'This invitation works once. Email address:',
    submit: 'Create account',
  },
  signIn: {
    title: 'Get back into your account',
    lead: (length: string) => `This link signs you in once, for ${length} at most.`,
    advice: 'As soon as you are in, choose a new password and set up two-step verification again.',
    submit: 'Sign in',
  },
  gone: {
    expired: 'It has expired.',
    gone: 'It has already been used, a newer one has replaced it, or it was not copied in full.',
    another: 'Ask for a new link',
    ask: 'The person who runs this service can give you another one.',
  },
} satisfies typeof linksFr
