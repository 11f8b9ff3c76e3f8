import { RowtapError } from '../../rowtap-error.ts'
import type { Comparison } from './comparison.ts'
import { compareAscii, keyComparison, sameText } from './comparison.ts'

/** Types whose texts are in their values' order: bool, uuid, bytea as hex, bit strings, macaddr and macaddr8. */
export const asciiComparison: Comparison = keyComparison(sameText, compareAscii)

/** "char": one byte, printed as three octal digits where it is not ASCII; before PostgreSQL 16 as a broken character. */
export const charComparison: Comparison = {
  key: sameText,
  equalTo(constant) {
    checkByte(constant)
    return (text) => text === constant
  },
  compareTo(constant) {
    checkByte(constant)
    const byte = byteOf(constant)
    return (text) => byteOf(text) - byte
  },
}

/** Broken characters are all the same, while the bytes that they stand for are not. */
function checkByte(constant: string): void {
  if (constant.length === 4 || constant === '' || constant.charCodeAt(0) < 128) return
  throw new RowtapError('ERR_CAPABILITY_UNSUPPORTED', {
    message: `Only PostgreSQL compares values of the type "char" with a constant outside ASCII exactly: test it in the handler.`,
  })
}

/** pg_lsn: two hexadecimal halves of 32 bits. */
export const lsnComparison: Comparison = keyComparison(sameText, (constant) => {
  const high = highHalf(constant)
  const low = lowHalf(constant)
  return (text) => highHalf(text) - high || lowHalf(text) - low
})

function byteOf(text: string): number {
  if (text === '') return 0
  return text.length === 4 ? Number.parseInt(text.slice(1), 8) : text.charCodeAt(0)
}

function highHalf(lsn: string): number {
  return Number.parseInt(lsn.slice(0, lsn.indexOf('/')), 16)
}

function lowHalf(lsn: string): number {
  return Number.parseInt(lsn.slice(lsn.indexOf('/') + 1), 16)
}
