import type { Registry } from 'prom-client'
import type { KeyFigures } from './metrics.ts'

/** Gauges of the keys, read when they are asked for. */
export function createKeyGauges(
  client: Pick<typeof import('prom-client'), 'Gauge'>,
  registers: Registry[],
  read: () => KeyFigures,
): void {
  new client.Gauge({
    name: 'sallyport_key_age_seconds',
    help: 'Age of the key in use, by purpose.',
    labelNames: ['purpose'],
    registers,
    collect() {
      for (const { purpose, age } of read().ages) this.set({ purpose }, age / 1000)
    },
  })
  new client.Gauge({
    name: 'sallyport_keys',
    help: 'Keys that are not retired, by purpose.',
    labelNames: ['purpose'],
    registers,
    collect() {
      for (const { purpose, count } of read().ages) this.set({ purpose }, count)
    },
  })
  new client.Gauge({
    name: 'sallyport_key_rows_left',
    help: 'Stored values that wait to be sealed with the key in use.',
    registers,
    collect() {
      this.set(read().rowsLeft)
    },
  })
  new client.Gauge({
    name: 'sallyport_master_key_age_seconds',
    help: 'Age of the master key, where it is known.',
    labelNames: [],
    registers,
    collect() {
      const { masterAge } = read()
      if (masterAge === undefined) this.reset()
      else this.set(masterAge / 1000)
    },
  })
}
