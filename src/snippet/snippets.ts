import { caddyRecipe } from './caddy.ts'
import { envoyRecipe } from './envoy.ts'
import { haproxyRecipe } from './haproxy.ts'
import { nginxRecipe } from './nginx.ts'
import type { RecipeWriter } from './recipe.ts'
import { traefikRecipe } from './traefik.ts'

/** The proxies that recipes are written for. */
export const RECIPES = {
  caddy: caddyRecipe,
  nginx: nginxRecipe,
  traefik: traefikRecipe,
  haproxy: haproxyRecipe,
  envoy: envoyRecipe,
} as const satisfies Readonly<Record<string, RecipeWriter>>

export type ProxyName = keyof typeof RECIPES

export function isProxyName(text: string): text is ProxyName {
  return Object.hasOwn(RECIPES, text)
}
