const DIGIT_ZERO = 48
const MINUS = 45

/**
 * Compares two numbers of any length as numeric does, from their texts: NaN is the greatest and equals itself.
 * They have no exponent and no needless zeros before the point.
 */
export function compareDecimals(left: string, right: string): number {
  if (left === right) return 0
  const leftRank = rank(left)
  const rightRank = rank(right)
  if (leftRank !== 0 || rightRank !== 0) return leftRank - rightRank
  const leftNegative = left.charCodeAt(0) === MINUS
  if (leftNegative !== (right.charCodeAt(0) === MINUS)) return leftNegative ? -1 : 1
  return leftNegative ? compareMagnitudes(right, left, 1) : compareMagnitudes(left, right, 0)
}

/** What is no finite number stands below (-1) or above (1, 2) all that are. */
function rank(text: string): number {
  const first = text.charCodeAt(0)
  if (first === 78) return 2
  if (first === 73) return 1
  return first === MINUS && text.charCodeAt(1) === 73 ? -1 : 0
}

function compareMagnitudes(left: string, right: string, start: number): number {
  const leftPoint = pointOf(left)
  const rightPoint = pointOf(right)
  if (leftPoint !== rightPoint) return leftPoint - rightPoint
  for (let at = start; at < leftPoint; at++) {
    const difference = left.charCodeAt(at) - right.charCodeAt(at)
    if (difference !== 0) return difference
  }
  const end = Math.max(left.length, right.length)
  for (let at = leftPoint + 1; at < end; at++) {
    const difference = digitAt(left, at) - digitAt(right, at)
    if (difference !== 0) return difference
  }
  return 0
}

function pointOf(text: string): number {
  const at = text.indexOf('.')
  return at === -1 ? text.length : at
}

function digitAt(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : DIGIT_ZERO
}
