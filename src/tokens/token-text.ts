import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `pat`: a personal token; `svc`: a service token; `ref`: a refresh token. */
export type TokenPrefix = 'pat' | 'svc' | 'ref'

/**
 * What every token looks like, for us and for scanners of secrets: a prefix that says whose it is,
 * 43 digits of base 62 for 256 random bits, 6 for the CRC-32 (IEEE 802.3) of all before them. The
 * width is fixed, so a token has one spelling. SECURITY: anchored, without repetition of repetition.
 */
export const TOKEN_TEXT = /^sallyport_(?:pat|svc)_[0-9A-Za-z]{49}$/

/** How personal and service tokens begin; nobody else's begin so. */
export const TOKEN_BEGINNINGS = ['sallyport_pat_', 'sallyport_svc_'] as const

/**
 * Whether a personal or a service token stands in the text, whatever stands around it and however it
 * is mistyped: enough of it to be kept from everybody.
 */
export function holdsToken(text: string): boolean {
  return TOKEN_BEGINNINGS.some((beginning) => text.includes(beginning))
}

/** How much of its end is kept in clear, to tell tokens apart. It is part of the checksum. */
export const HINT_LENGTH = 4

/** A new token of 256 random bits from the system's CSPRNG. */
export function newTokenText(prefix: TokenPrefix): string {
  const body = `sallyport_${prefix}_${base62(BigInt(`0x${randomBytes(32).toString('hex')}`), 43)}`
  return body + checksum(body)
}

/**
 * Whether the text is a personal or a service token that `newTokenText` could have made: a mistyped
 * one is not.
 */
export function isTokenText(text: string): boolean {
  return TOKEN_TEXT.test(text) && hasChecksum(text)
}

/** The same for a refresh token. */
export function isRefreshTokenText(text: string): boolean {
  return REFRESH_TOKEN_TEXT.test(text) && hasChecksum(text)
}

const REFRESH_TOKEN_TEXT = /^sallyport_ref_[0-9A-Za-z]{49}$/

function hasChecksum(text: string): boolean {
  return checksum(text.slice(0, -6)) === text.slice(-6)
}

function checksum(text: string): string {
  return base62(BigInt(crc32(text)), 6)
}

/** Fixed width, most significant digit first; 62^43 is above 2^256, 62^6 above 2^32. */
function base62(value: bigint, width: number): string {
  let text = ''
  for (let rest = value; text.length < width; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text
  return text
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
