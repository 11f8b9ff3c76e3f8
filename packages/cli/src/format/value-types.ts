import pg from 'pg'

import { jsonValue } from './json-value.ts'

/** How values become JavaScript's: for each type, by object id, a function from PostgreSQL's text to a value. */
export interface ValueTypes {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown
}

/** What `--values` can be. */
export const VALUE_FORMS: readonly ['json', 'text'] = ['json', 'text']

/** What `--values` can be. */
export type ValueForm = (typeof VALUE_FORMS)[number]

/** Every value exactly as its type's output function prints it. */
const textTypes: ValueTypes = { getTypeParser: () => (text) => text }

/** Every value as `pg` would return it, in terms of JSON: see {@link jsonValue}. */
const jsonTypes: ValueTypes = {
  getTypeParser(oid) {
    const parse: (text: string) => unknown = pg.types.getTypeParser(oid, 'text')
    return (text) => jsonValue(parse(text), text)
  },
}

/** The types that give values in one of the two forms. What they return is ready for JSON. */
export const VALUE_TYPES: Readonly<Record<ValueForm, ValueTypes>> = { json: jsonTypes, text: textTypes }
