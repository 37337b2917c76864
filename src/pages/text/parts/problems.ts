import type { Milliseconds } from '../../../lib/duration.ts'
import { createFormat } from '../format.ts'

const fr = createFormat('fr')
const en = createFormat('en')

/** Pages that stand in for an answer of an app, in French. */
export const problemsFr = {
  forbidden: {
    title: (app: string) => `Vous n’avez pas accès à ${app}`,
    lead: 'Une règle refuse cette page à ce compte.',
    anonymous: 'Une règle refuse l’accès à cette page.',
    request: 'Demander l’accès',
    requestSubject: (app: string, reference: string) => `Accès à ${app}, réf. ${reference}`,
  },
  tooMany: {
    title: 'Trop de tentatives',
    at: 'Réessayez à',
    in: 'dans',
    length: (length: Milliseconds) => fr.duration(length),
  },
  upstream: {
    title: (app: string) => `${app} ne répond pas`,
    unreachable: 'L’application est arrêtée ou en cours de redémarrage.',
    timeout: 'L’application met trop de temps à répondre.',
    broken: 'L’application a renvoyé une réponse inexploitable.',
    lead: 'Votre connexion reste active. Réessayez dans un instant.',
  },
  maintenance: { title: (app: string) => `${app} est en maintenance` },
  unavailable: {
    title: 'Service momentanément indisponible',
    lead: 'Par prudence, rien n’est ouvert tant que votre accès ne peut pas être vérifié. Réessayez dans une minute.',
  },
  unknownHost: {
    title: 'Aucune application à cette adresse',
    lead: 'Vérifiez l’adresse saisie\u00a0:',
  },
  notFound: {
    title: 'Cette page n’existe pas',
    lead: 'Vérifiez l’adresse, ou revenez à vos applications.',
  },
  badRequest: {
    title: 'Cette demande ne peut pas être traitée',
    path: 'L’adresse demandée contient des caractères qui peuvent être compris de deux façons. Vérifiez le lien.',
    request: 'La demande est incomplète ou mal formée. Revenez à la page précédente et réessayez.',
  },
  linkGone: {
    title: 'Ce lien n’est plus valable',
    lead: 'Il a déjà servi, a expiré, ou n’a pas été copié en entier.',
  },
  foreignForm: {
    title: 'Ce formulaire n’a pas été pris en compte',
    lead: 'Il ne venait pas d’une page de ce service, ou cette page était ouverte depuis trop longtemps. Rien n’a été modifié.',
    back: 'Revenir au formulaire',
  },
  loop: {
    title: 'La connexion ne peut pas aboutir',
    lost: {
      form: () =>
        'Votre navigateur n’a pas renvoyé le cookie que ce service venait de lui donner\u00a0:',
      session: () =>
        'Vous vous êtes connecté, mais le cookie de votre session n’est pas revenu avec la page suivante\u00a0:',
      app: (host: string) =>
        `Vous êtes bien connecté, mais le cookie de votre session n’accompagne pas vos demandes à ${host}\u00a0:`,
    },
    yourself: {
      form: 'Autorisez les cookies pour ce site (une extension ou la navigation privée les bloque peut-être), puis réessayez.',
      session:
        'Autorisez les cookies pour ce site (une extension ou la navigation privée les bloque peut-être), puis réessayez.',
      app: 'Si un nouvel essai mène encore ici, montrez cette page à la personne qui gère ce service.',
    },
    overHttps: 'Vérifiez aussi que l’adresse commence par https.',
    operators: 'Pour la personne qui gère ce service',
    operator: {
      form: () => [
        'Le proxy doit transmettre tels quels l’en-tête Cookie des demandes et les en-têtes Set-Cookie des réponses, y compris sous /.sallyport/.',
        'Si portal.url est en https, le cookie est Secure\u00a0: la page doit être ouverte en https de bout en bout.',
      ],
      session: (host: string) => [
        'Le proxy doit transmettre tels quels l’en-tête Cookie des demandes et tous les en-têtes Set-Cookie des réponses, y compris sous /.sallyport/.',
        `cookie_domain, s’il est réglé, doit couvrir ${host}\u202f; aucune application ne doit effacer ce cookie.`,
        'L’horloge du serveur doit être à l’heure.',
      ],
      app: (host: string) => [
        'Le proxy doit joindre l’en-tête Cookie à chaque demande qu’il transmet, et aussi à la question qu’il pose sous /.sallyport/check/.',
        `${host} doit relever de cookie_domain, et aucun autre cookie du même nom ne doit y être défini.`,
      ],
    },
    address:
      'Votre navigateur affiche cette page à une adresse, et la demande est arrivée ici pour une autre.',
    shown: 'Affichée',
    asked: 'Demandée',
    openOverHttps: 'Ouvrir en https',
    addressOperator: {
      host: [
        'Le proxy doit transmettre l’en-tête Host tel quel (nginx\u00a0: proxy_set_header Host $http_host).',
        'portal.url et les host des applications doivent être les adresses que voient les navigateurs.',
      ],
      scheme: [
        'portal.url fixe le protocole\u00a0: il doit être celui que voient les navigateurs.',
        'Le proxy doit rediriger http vers https.',
      ],
    },
  },
  interrupted: {
    title: 'Votre session a expiré',
    confirmTitle: 'Confirmez votre identité',
    lead: 'Rien n’est perdu. Gardez cette page ouverte\u00a0:',
    signIn: 'Se reconnecter dans un autre onglet',
    confirm: 'Confirmer dans un autre onglet',
    reload: 'Revenez ici, rechargez la page (F5 au clavier) et acceptez de renvoyer le formulaire.',
    resend: 'Renvoyer le formulaire',
  },
  framed: {
    title: 'Votre session a expiré',
    lead: 'Reconnectez-vous pour afficher cette partie de la page.',
    signIn: 'Se connecter en pleine page',
  },
  error: {
    title: 'Un problème est survenu',
    lead: 'La demande n’a pas pu aboutir. Si cela se reproduit, donnez la référence ci-dessous à la personne qui gère ce service.',
  },
  apps: 'Mes applications',
  statusPage: 'État des services',
  resumed: {
    title: 'Vous êtes connecté',
    lead: 'Revenez à l’autre onglet\u00a0: rien n’est perdu. Vous pouvez fermer celui-ci.',
    home: 'Ouvrir l’application',
  },
}

/** The same in English. */
export const problemsEn = {
  forbidden: {
    title: (app: string) => `You do not have access to ${app}`,
    lead: 'A rule refuses this page to this account.',
    anonymous: 'A rule refuses access to this page.',
    request: 'Request access',
    requestSubject: (app: string, reference: string) => `Access to ${app}, ref. ${reference}`,
  },
  tooMany: {
    title: 'Too many attempts',
    at: 'Try again at',
    in: 'in',
    length: (length: Milliseconds) => en.duration(length),
  },
  upstream: {
    title: (app: string) => `${app} is not responding`,
    unreachable: 'The app has stopped or is restarting.',
    timeout: 'The app is taking too long to respond.',
    broken: 'The app sent an answer that cannot be used.',
    lead: 'You are still signed in. Try again in a moment.',
  },
  maintenance: { title: (app: string) => `${app} is under maintenance` },
  unavailable: {
    title: 'Service temporarily unavailable',
    lead: 'To be safe, nothing opens while your access cannot be checked. Try again in a minute.',
  },
  unknownHost: {
    title: 'No app at this address',
    lead: 'Check the address you entered:',
  },
  notFound: {
    title: 'This page does not exist',
    lead: 'Check the address, or go back to your apps.',
  },
  badRequest: {
    title: 'This request cannot be handled',
    path: 'The address has characters that can be understood in two ways. Check the link.',
    request: 'The request is incomplete or malformed. Go back to the previous page and try again.',
  },
  linkGone: {
    title: 'This link is no longer valid',
    lead: 'It has already been used, has expired, or was not copied in full.',
  },
  foreignForm: {
    title: 'This form was not accepted',
    lead: 'It did not come from a page of this service, or that page had been open for too long. Nothing was changed.',
    back: 'Back to the form',
  },
  loop: {
    title: 'Sign-in cannot be completed',
    lost: {
      form: () => 'Your browser did not send back the cookie this service had just given it:',
      session: () =>
        'You signed in, but the cookie of your session did not come back with the next page:',
      app: (host: string) =>
        `You are signed in, but the cookie of your session does not come with your requests to ${host}:`,
    },
    yourself: {
      form: 'Allow cookies for this site (an extension or private browsing may block them), then try again.',
      session:
        'Allow cookies for this site (an extension or private browsing may block them), then try again.',
      app: 'If trying again leads back here, show this page to the person who runs this service.',
    },
    overHttps: 'Check too that the address begins with https.',
    operators: 'For the person who runs this service',
    operator: {
      form: () => [
        'The proxy must pass on the Cookie header of requests and the Set-Cookie headers of answers unchanged, below /.sallyport/ too.',
        'If portal.url is https, the cookie is Secure: the page must be opened over https all the way.',
      ],
      session: (host: string) => [
        'The proxy must pass on the Cookie header of requests and every Set-Cookie header of answers unchanged, below /.sallyport/ too.',
        `cookie_domain, if it is set, must cover ${host}; no app may delete this cookie.`,
        'The clock of the server must be right.',
      ],
      app: (host: string) => [
        'The proxy must send the Cookie header with every request it forwards, and with the question it asks below /.sallyport/check/ as well.',
        `${host} must lie below cookie_domain, and no other cookie of this name may be set there.`,
      ],
    },
    address:
      'Your browser shows this page at one address, but the request arrived here for another.',
    shown: 'Shown',
    asked: 'Requested',
    openOverHttps: 'Open over https',
    addressOperator: {
      host: [
        'The proxy must pass on the Host header unchanged (nginx: proxy_set_header Host $http_host).',
        'portal.url and the host of each app must be the addresses that browsers see.',
      ],
      scheme: [
        'portal.url sets the scheme: it must be the one that browsers see.',
        'The proxy must redirect http to https.',
      ],
    },
  },
  interrupted: {
    title: 'Your session has expired',
    confirmTitle: 'Confirm it’s you',
    lead: 'Nothing is lost. Keep this page open:',
    signIn: 'Sign in again in another tab',
    confirm: 'Confirm in another tab',
    reload: 'Come back here, reload the page (F5 on a keyboard) and agree to send the form again.',
    resend: 'Send the form again',
  },
  framed: {
    title: 'Your session has expired',
    lead: 'Sign in again to see this part of the page.',
    signIn: 'Sign in on the full page',
  },
  error: {
    title: 'Something went wrong',
    lead: 'The request could not be completed. If it happens again, give the reference below to the person who runs this service.',
  },
  apps: 'My apps',
  statusPage: 'Service status',
  resumed: {
    title: 'You are signed in',
    lead: 'Go back to the other tab: nothing is lost. You can close this one.',
    home: 'Open the app',
  },
} satisfies typeof problemsFr
