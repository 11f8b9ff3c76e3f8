import { RowtapError } from '../../rowtap-error.ts'
import type { EnumType } from '../column-type.ts'
import type { Comparison } from './comparison.ts'
import { keyComparison, sameText } from './comparison.ts'

/** An enumeration: labels in their declared order. */
export function enumComparison(type: EnumType): Comparison {
  const places = new Map(type.labels.map((label, index) => [label, index]))
  const placeOf = (label: string): number => {
    const place = places.get(label)
    if (place !== undefined) return place
    // Its place among the others is not known, and an answer would be a guess.
    throw new RowtapError('ERR_DECODE', {
      message: `The label ${JSON.stringify(label)} was added to the type ${type.displayName} after the listener was attached: start the listener again.`,
    })
  }
  return keyComparison(sameText, (constant) => {
    const place = placeOf(constant)
    return (text) => placeOf(text) - place
  })
}
