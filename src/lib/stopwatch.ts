/** Starts to measure; each call of what it gives is the seconds since then, never less than 0. */
export function stopwatch(): () => number {
  const start = performance.now()
  return () => (performance.now() - start) / 1000
}
