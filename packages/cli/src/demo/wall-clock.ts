/** How long a calibration holds: long enough to be cheap, short enough for the two clocks not to drift apart. */
const CALIBRATION_MS = 1_000
/** How far the two clocks may drift apart between two calibrations. */
const DRIFT_MS = 0.05

let offset = Number.NEGATIVE_INFINITY
let calibratedAt = Number.NEGATIVE_INFINITY

/**
 * The time of day in microseconds since 1970, as precise as the monotonic clock. `Date.now()` knows milliseconds
 * only, which is more than the delays to be measured.
 */
export function wallClockMicroseconds(): number {
  return (performance.now() + offset) * 1_000
}

/**
 * Sets the clock by the machine's, if that was long ago. It observes the machine's actively for so long, so it is not
 * for a moment at which something is measured.
 *
 * @param observedMs more than one millisecond, so that `Date.now()` is seen to go on at least once.
 */
export function calibrateWallClock(observedMs = 1.2): void {
  const start = performance.now()
  if (start - calibratedAt < CALIBRATION_MS) return
  calibratedAt = start
  offset -= DRIFT_MS
  // `Date.now()` is cut down to a millisecond, and the process may be stopped between the two readings: both make the
  // difference too small, never too great. So the greatest is the truest.
  for (let now = start; now - start < observedMs;) {
    const time = Date.now()
    now = performance.now()
    offset = Math.max(offset, time - now)
  }
}
