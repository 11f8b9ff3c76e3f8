import type { RelationMessage } from '../pgoutput/relation-message.ts'
import type { ColumnFacts, TableFacts } from './table-facts.ts'

/** A place that a column has, or had, in its table. */
type Place = Pick<ColumnFacts, 'number'> & Partial<Pick<ColumnFacts, 'name' | 'typeOid'>>

/**
 * The numbers of a message's columns, as far as the catalogue tells: of a message from the past, whose columns may have
 * been renamed or dropped since. Numbers are never given twice, and columns are in their order: so each of them has a
 * place of its own, after that of the one before, and of all ways to place them it is the one in which most names and types
 * are the catalogue's. `null`: there is no way.
 */
export function columnNumbers({ columns }: RelationMessage, facts: TableFacts): readonly (number | null)[] {
  const dropped = facts.droppedColumns.map((number): Place => ({ number }))
  const places = [...facts.columns.filter(({ isSent }) => isSent), ...dropped].toSorted(
    (left, right) => (left.number ?? 0) - (right.number ?? 0),
  )
  const likeness = (at: number, place: number): number => {
    const column = columns[at]
    const there = places[place]
    return (column?.name === there?.name ? 2 : 0) + (column?.typeOid === there?.typeOid ? 1 : 0)
  }
  /** The best that can be had of the columns from one on, in the places from one on. */
  const best = columns.map(() => [...places, null].map(() => Number.NEGATIVE_INFINITY))
  const bestOf = (at: number, place: number): number =>
    at === columns.length ? 0 : (best[at]?.[place] ?? Number.NEGATIVE_INFINITY)
  const here = (at: number, place: number): number => likeness(at, place) + bestOf(at + 1, place + 1)
  for (const [at, row] of [...best.entries()].toReversed()) {
    for (let place = places.length - 1; place >= 0; place--) {
      row[place] = Math.max(here(at, place), bestOf(at, place + 1))
    }
  }
  if (bestOf(0, 0) === Number.NEGATIVE_INFINITY) return columns.map(() => null)
  let place = -1
  return columns.map((_, at) => {
    do place++
    while (here(at, place) < bestOf(at, place))
    return places[place]?.number ?? null
  })
}
