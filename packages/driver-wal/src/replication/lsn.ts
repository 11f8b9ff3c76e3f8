/** A place in the write-ahead log: a 64-bit number, which a double cannot hold. */
export type Lsn = bigint

/** Before everything. */
export const ZERO_LSN: Lsn = 0n

/**
 * Reads PostgreSQL's notation: `16/B374D848`.
 *
 * @throws RangeError where the text is something else.
 */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (match === null) throw new RangeError(`${JSON.stringify(text)} is not a place in the write-ahead log.`)
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

/** Writes PostgreSQL's notation. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`
}

/** Sixteen hexadecimal digits: sorts as text as the number does. */
export function lsnDigits(lsn: Lsn): string {
  return lsn.toString(16).padStart(16, '0')
}

/** The same, from the number's two halves. */
export function lsnDigitsOfHalves(high: number, low: number): string {
  return hexDigits(high) + hexDigits(low)
}

/** An unsigned 32-bit number as eight hexadecimal digits. */
export function hexDigits(value: number): string {
  return value.toString(16).padStart(8, '0')
}
