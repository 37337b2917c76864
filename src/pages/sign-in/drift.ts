import { MINUTE } from '../../lib/duration.ts'
import type { Catalogue } from '../text/fr.ts'

/**
 * Why a code of another time was refused, for the owner of the clock.
 *
 * @param drift milliseconds the clock is ahead, behind if negative
 */
export function driftWords(text: Catalogue, drift: number): string {
  const minutes = Math.max(1, Math.round(Math.abs(drift) / MINUTE))
  return text.device.drift(minutes, drift > 0)
}
