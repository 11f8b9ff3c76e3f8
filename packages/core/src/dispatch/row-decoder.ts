import type { Relation, RelationColumn, Tuple } from '../contract/relation.ts'
import type { Row } from '../event.ts'
import type { ProjectedColumn } from './projection.ts'
import { valueOf } from './value-of.ts'

/** Builds a row's object; `null` where it cannot, because a column was not sent. What a parser throws is thrown. */
export type RowDecoder = (tuple: Tuple) => Row | null

const known = new WeakMap<Relation, WeakMap<readonly ProjectedColumn[], RowDecoder>>()
let last: {
  readonly relation: Relation
  readonly columns: readonly ProjectedColumn[]
  readonly decoder: RowDecoder
} | null = null

/** The decoder for these columns of a relation. It is made once, because the engine makes the best of code for one shape. */
export function rowDecoder(relation: Relation, columns: readonly ProjectedColumn[]): RowDecoder {
  if (last !== null && last.relation === relation && last.columns === columns) return last.decoder
  const ofRelation = known.get(relation) ?? new WeakMap<readonly ProjectedColumn[], RowDecoder>()
  known.set(relation, ofRelation)
  const decoder = ofRelation.get(columns) ?? makeDecoder(relation, columns)
  ofRelation.set(columns, decoder)
  last = { relation, columns, decoder }
  return decoder
}

/** The parts of generated code: the columns' descriptions, and {@link valueOf}. */
type Generated = (columns: readonly (RelationColumn | undefined)[], read: typeof valueOf) => RowDecoder

function makeDecoder(relation: Relation, columns: readonly ProjectedColumn[]): RowDecoder {
  const described = columns.map(({ index }) => relation.columns[index])
  const parameters = columns.map((_, at) => `c${at}`)
  const values = columns.map(
    ({ index }, at) => `const v${at} = read(tuple, ${index}, c${at}); if (v${at} === undefined) return null;`,
  )
  const properties = columns.map(({ name }, at) => `${propertyName(name)}: v${at}`)
  const source = `const [${parameters.join()}] = columns; return (tuple) => { ${values.join(' ')} return { ${properties.join()} } }`
  try {
    // oxlint-disable-next-line no-implied-eval -- Of what is not ours it has names alone, each a literal.
    const generated = new Function('columns', 'read', source) as Generated
    return generated(described, valueOf)
  } catch (error) {
    // The process may not make code of texts (`--disallow-code-generation-from-strings`).
    if (error instanceof EvalError) return () => null
    throw error
  }
}

function propertyName(name: string): string {
  const literal = JSON.stringify(name)
  // Without the brackets it would set the object's prototype.
  return name === '__proto__' ? `[${literal}]` : literal
}
