import { keyFunction } from '../conditions/index-key.ts'
import type { Relation, Tuple } from '../contract/relation.ts'
import type { Projection } from './projection.ts'

type KeyText = (tuple: Tuple) => string

const known = new WeakMap<Projection, KeyText>()

/**
 * A text that is the same for rows whose keys PostgreSQL holds to be equal, however they are printed (`1.0` and `1.00`).
 * Different keys may share a text where that is not known of a type: they are then kept in order although they need
 * not be.
 */
export function keyTextOf(tuple: Tuple, projection: Projection, relation: Relation): string {
  let keyText = known.get(projection)
  if (keyText === undefined) {
    keyText = keyTextFunction(projection, relation)
    known.set(projection, keyText)
  }
  return keyText(tuple)
}

function keyTextFunction(projection: Projection, relation: Relation): KeyText {
  const parts = projection.key.map(({ index }) => {
    const type = relation.columns[index]?.type
    return { index, keyOf: type === undefined ? null : keyFunction(type) }
  })
  return (tuple) =>
    parts
      .map(({ index, keyOf }) => {
        const text = tuple.text(index)
        return keyOf === null || text === null || text === undefined ? '' : keyOf(text)
      })
      .join('\0')
}
