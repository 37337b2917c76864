import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/**
 * TLS 1.2 with forward secrecy and authenticated encryption only, beside all of TLS 1.3 (RFC 9325
 * 4.2). A client cannot ask to negotiate anew.
 */
export const SECURE_OPTIONS = {
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
} as const satisfies SecureContextOptions
