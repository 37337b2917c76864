/** What one subject gave in one round: CPU time (µs) a request and requests a second. */
export type Sample = { readonly cpu: number; readonly rate: number }

/** A subject with its samples, one a round, in the order of the rounds. */
export type Measured = {
  readonly name: string
  readonly label: string
  readonly samples: readonly Sample[]
}

/** The median, and the quartiles: half of the values lie between `low` and `high`. */
export type Spread = { readonly median: number; readonly low: number; readonly high: number }

/** @throws RangeError when `values` is empty. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
  }
}

/** Interpolates between the two nearest of the sorted values. */
function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  if (below === undefined || above === undefined) throw new RangeError('no values')
  return below + (above - below) * (place - Math.floor(place))
}

/**
 * CPU a request of `subject` as a multiple of `base`, taken round by round: both were measured
 * within seconds of each other, so that a slow moment of the machine cancels out.
 */
export function ratio(subject: Measured, base: Measured): Spread {
  return spread(
    subject.samples.map((sample, round) => sample.cpu / (base.samples[round]?.cpu ?? Number.NaN)),
  )
}

/** A Markdown table of `subjects`, as multiples of `base`. */
export function table(base: Measured, subjects: readonly Measured[]): string {
  const rows = [base, ...subjects].map((subject) => {
    const cpu = spread(subject.samples.map((sample) => sample.cpu))
    const rate = spread(subject.samples.map((sample) => sample.rate))
    const multiple = ratio(subject, base)
    return [
      subject.label,
      `${cpu.median.toFixed(1)} (${cpu.low.toFixed(1)}–${cpu.high.toFixed(1)})`,
      Math.round(rate.median).toString(),
      subject === base
        ? '1'
        : `**${multiple.median.toFixed(2)}** (${multiple.low.toFixed(2)}–${multiple.high.toFixed(2)})`,
    ]
  })
  const head = ['', 'CPU µs/request', 'requests/s', `CPU × ${base.label}`]
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), '|---|---:|---:|---:|', ...rows.map(line)].join('\n')
}
