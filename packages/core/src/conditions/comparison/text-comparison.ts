import type { Comparison } from './comparison.ts'
import { keyComparison, sameText } from './comparison.ts'

/** text, varchar and name. */
export const textComparison: Comparison = keyComparison(sameText, codePointOrder)

/** bpchar: blanks at the end make no difference. */
export const blankPaddedComparison: Comparison = keyComparison(withoutTrailingBlanks, (constant) => {
  const order = codePointOrder(withoutTrailingBlanks(constant))
  return (text) => order(withoutTrailingBlanks(text))
})

/** citext where only A to Z have another case. Its order is not offered. */
export const asciiCaseComparison: Comparison = keyComparison(asciiLowerCase, null)

/** What `lower()` makes of a text where only A to Z have another case. */
export function asciiLowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/gu, (letters) => letters.toLowerCase())
}

/**
 * Compares by code points, which is the order of the UTF-8 bytes. JavaScript's own `<` is not that: it puts the
 * surrogates, which stand for the highest code points, below U+E000.
 */
function codePointOrder(constant: string): (text: string) => number {
  return (text) => {
    const end = Math.min(text.length, constant.length)
    for (let at = 0; at < end; at++) {
      const left = text.charCodeAt(at)
      const right = constant.charCodeAt(at)
      if (left !== right) return rank(left) - rank(right)
    }
    return text.length - constant.length
  }
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

function withoutTrailingBlanks(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--
  return end === text.length ? text : text.slice(0, end)
}
