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

/** The upper and the lower 32 bits. */
export function halvesOf(lsn: Lsn): readonly [high: number, low: number] {
  return [Number(lsn >> 32n), Number(lsn & 0xffffffffn)]
}

/** The place of which these are the upper and the lower 32 bits. */
export function lsnOfHalves(high: number, low: number): Lsn {
  return (BigInt(high) << 32n) | BigInt(low)
}

/** Each byte as two hexadecimal digits: cutting a number into them costs less than having it printed. */
const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** What the last byte is written as, and something behind it: texts that need not be put together for each number. */
export type LastByte = readonly string[]

/** The last byte with something behind it. */
export function lastByteAnd(behind: string): LastByte {
  return BYTES.map((byte) => byte + behind)
}

let lastHigh = 0
let lastMiddle = 0
let lastDigits = '000000000000'

/** The same, from the number's two halves. */
export function lsnDigitsOfHalves(high: number, low: number, lastByte: LastByte = BYTES): string {
  const middle = low >>> 16
  // The first twelve digits change once in 64 KiB of log.
  if (high !== lastHigh || middle !== lastMiddle) {
    lastHigh = high
    lastMiddle = middle
    lastDigits = hexDigits(high) + twoBytes(middle)
  }
  return lastDigits + ((BYTES[(low >>> 8) & 0xff] ?? '') + (lastByte[low & 0xff] ?? ''))
}

/** An unsigned 32-bit number as eight hexadecimal digits. */
export function hexDigits(value: number): string {
  return twoBytes(value >>> 16) + twoBytes(value & 0xffff)
}

function twoBytes(value: number): string {
  return (BYTES[value >>> 8] ?? '') + (BYTES[value & 0xff] ?? '')
}
