import type { Answer } from '../http/answer.ts'
import { VERSION } from '../lib/version.ts'
import { type Metrics, NO_METRICS } from '../metrics/metrics.ts'
import { type AdminListener, listenForAdmin } from './admin-listener.ts'
import { createAdminRequests } from './admin-requests.ts'

/** The operator's side of the program: what is counted, and where it is asked for. */
export type Admin = {
  readonly metrics: Metrics
  /**
   * Starts to answer; nothing to do where it is off.
   * @throws AppError `listen_failed`
   */
  readonly open: (
    health: (path: string) => Promise<Answer> | undefined,
  ) => Promise<AdminListener | undefined>
}

/** @param settings where to listen; absent: off, and nothing is counted */
export async function createAdmin(
  settings:
    | { readonly host: string; readonly port: number; readonly hosts: readonly string[] }
    | undefined,
): Promise<Admin> {
  if (settings === undefined) return { metrics: NO_METRICS, open: async () => undefined }
  const { createPrometheus } = await import('../metrics/prometheus.ts')
  const { metrics, scrape } = await createPrometheus({ version: VERSION, node: process.version })
  return {
    metrics,
    open: (health) => listenForAdmin(createAdminRequests({ scrape, health }, settings), settings),
  }
}
