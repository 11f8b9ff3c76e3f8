/** For so many milliseconds the two clocks are taken to go together: the system's may be set. */
const COMPARED_MS = 1000

let offset = 0
let comparedAt = -Infinity

/** The time of day, as `Date.now()` has it, at a time by `performance.now()`: to ask for both costs twice as much. */
export function wallTime(time: number): number {
  if (time - comparedAt > COMPARED_MS) {
    comparedAt = performance.now()
    offset = Date.now() - comparedAt
  }
  return time + offset
}
