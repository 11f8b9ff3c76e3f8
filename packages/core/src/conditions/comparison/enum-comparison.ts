import { RowtapError } from '../../rowtap-error.ts'
import type { EnumType } from '../column-type.ts'
import type { Comparison } from './comparison.ts'
import { checkedComparison, sameText } from './comparison.ts'

/**
 * An enumeration: labels in their declared order. A constant that is not among the labels of the type is no value of a
 * row that came while these were all: it equals none of them, and where it would stand is not known. A row's value that
 * is not among them may be any of them, under another name.
 */
export function enumComparison(type: EnumType): Comparison {
  const places = new Map(type.labels.map((label, index) => [label, index]))
  const placeOf = (label: string): number => {
    const place = places.get(label)
    if (place !== undefined) return place
    // Its place among the others is not known, and an answer would be a guess.
    throw new RowtapError('ERR_DECODE', {
      message: `The label ${JSON.stringify(label)} is not one that the type ${type.displayName} had when it was last read: it was added, or has been given another name, since. Start the listener again; changes from before a label was given another name can be listened to without the type's columns in 'where'.`,
    })
  }
  const checkedKey = (label: string): string => {
    placeOf(label)
    return label
  }
  return checkedComparison(sameText, checkedKey, (constant) => {
    const known = places.get(constant)
    return (text) => placeOf(text) - (known ?? placeOf(constant))
  })
}
