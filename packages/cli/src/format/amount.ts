const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB']
const TIME_UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** A number of bytes as PostgreSQL's settings write it, to two figures: `1.5 GB`, in steps of 1024. */
export function bytesText(bytes: number): string {
  let value = bytes
  let step = 0
  while (Math.abs(value) >= 1000 && step < BYTE_UNITS.length - 1) {
    value /= 1024
    step += 1
  }
  const figures = step === 0 || Math.abs(value) >= 10 ? Math.round(value).toString() : value.toFixed(1)
  return `${figures} ${BYTE_UNITS[step]}`
}

/** How long, rounded down, in the largest unit of which it has two: `36 h`, `90 s`, `3 d`. */
export function durationText(seconds: number): string {
  const [size, unit] = TIME_UNITS.find(([size]) => seconds >= 2 * size) ?? [1, 's']
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`
}
