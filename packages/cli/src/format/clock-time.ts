/** The time of day in this machine's time zone, to the millisecond: `09:05:01.070`. */
export function clockTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const milliseconds = String(time.getMilliseconds()).padStart(3, '0')
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`
}
