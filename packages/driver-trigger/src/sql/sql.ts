import { quoteIdentifier } from '@rowtap/core/driver'

/** One statement, with the queue's schema still to be filled in. */
export interface Sql {
  /** The text for a schema. The same string each time. */
  readonly text: (schema: string) => string
}

/** Something in a statement that depends on the queue's schema. */
export type SchemaPart = (schema: string) => string

/** The quoted name of the queue's schema. */
export const SCHEMA: SchemaPart = quoteIdentifier
/** The name of the queue's schema as a string literal. */
export const SCHEMA_LITERAL: SchemaPart = quoteLiteral
/** The quoted name of the queue's schema as a string literal, to be cast to regnamespace. */
export const SCHEMA_NAME_LITERAL: SchemaPart = (schema) => quoteLiteral(quoteIdentifier(schema))
/** The name of the sequence that tells writers what to do, as a string literal to be cast to regclass. */
export const STATE_LITERAL: SchemaPart = (schema) => quoteLiteral(`${quoteIdentifier(schema)}.state`)
/** The name of the sequence that tells writers until when a reader sleeps, as a string literal to be cast to regclass. */
export const SLEEP_LITERAL: SchemaPart = (schema) => quoteLiteral(`${quoteIdentifier(schema)}.sleep_until`)
/** The name of the table that says which queue this is, as a string literal to be cast to regclass. */
export const INSTALLATION_LITERAL: SchemaPart = (schema) => quoteLiteral(`${quoteIdentifier(schema)}.installation`)
/** The name of the sequence that numbers what is in the queue, as a string literal to be cast to regclass. */
export const QUEUE_SEQ_LITERAL: SchemaPart = (schema) => quoteLiteral(`${quoteIdentifier(schema)}.queue_seq`)
/** The name of one of the queue's tables, as a string literal to be cast to regclass. */
export const tableLiteral =
  (number: 1 | 2 | 3): SchemaPart =>
  (schema) =>
    quoteLiteral(`${quoteIdentifier(schema)}.queue_${number}`)
/** How many seconds longer than its last lease a consumer is captured for, so that one that is merely late loses nothing. */
export const GRACE_SECONDS: SchemaPart = () => '60'
/** The name of the sequence that numbers shapes, as a string literal to be cast to regclass. */
export const SHAPE_ID_LITERAL: SchemaPart = (schema) => quoteLiteral(`${quoteIdentifier(schema)}.shape_id`)
/** The key of the advisory lock that guards the sequence of {@link STATE_LITERAL}, for a moment. */
export const LEASE_LOCK: SchemaPart = (schema) =>
  `pg_catalog.hashtextextended(${quoteLiteral(`rowtap lease ${schema}`)}, 0)`
/** The key of the advisory lock that guards every change of what is installed in a schema. */
export const INSTALL_LOCK: SchemaPart = (schema) =>
  `pg_catalog.hashtextextended(${quoteLiteral(`rowtap install ${schema}`)}, 0)`
/** The key of the advisory lock that one remover of handled changes holds. */
export const CLEAN_LOCK: SchemaPart = (schema) =>
  `pg_catalog.hashtextextended(${quoteLiteral(`rowtap clean ${schema}`)}, 0)`

/** Tags a statement. What stands in `${…}` depends on the schema, or is another statement. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (SchemaPart | Sql)[]): Sql {
  const texts = new Map<string, string>()
  return {
    text: (schema) => {
      let text = texts.get(schema)
      if (text === undefined) {
        const filled = parts.map((part) => (typeof part === 'function' ? part(schema) : part.text(schema)))
        text = strings.reduce((before, next, index) => before + (filled[index - 1] ?? '') + next)
        texts.set(schema, text)
      }
      return text
    },
  }
}

/** Quotes a string for use in SQL, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}
