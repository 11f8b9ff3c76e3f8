import { describePostgres } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { compileCondition } from '../../../core/src/conditions/compile-condition.ts'
import { conditionOf } from '../../../core/src/conditions/condition-of.ts'
import { normalisedConstants } from '../../../core/src/conditions/normalise-constants.ts'
import { parseCondition } from '../../../sql/src/parse-condition.ts'
import { canonicalConnection, normaliseOver, typesOf } from './drawn-table.ts'

const TABLE = { schema: 'public', name: 'orders' }

/** Conditions that PostgreSQL's grammar has nothing against. A `^` stands before the place that is refused with the table known. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  '^totl = 1': /^Table public\.orders has no column "totl" \(named in 'where'\)\. Did you mean "total"\?$/u,
  'id = 1 and (paid or not ^totl is null)': /no column "totl"/u,
  "note = 'é' and ^totl is true": /no column "totl"/u,
  'true or ^totl': /no column "totl"/u,
  '1 < ^totl': /no column "totl"/u,
  'id ^like $1': /cannot use LIKE on column "id" of table public\.orders/u,
  "total ^not ilike 'a!%' escape '!'": /cannot use NOT ILIKE on column "total"/u,
  "doc ^= '{}'": /cannot use = on column "doc" of table public\.orders\. .* compare a column of type jsonb/u,
  "'{}' ^= doc": /column of type jsonb/u,
  "page ^in ('<a/>', '<b/>')": /cannot use IN on column "page" of table public\.orders/u,
  "id = 1 or page ^between '<a/>' and '<b/>'": /cannot use >= on column "page"/u,
  '^id': /'where' cannot be column "id" of table public\.orders\. Only a boolean is a condition by itself/u,
  'id ^= true': /cannot be column "id"/u,
  '^id is not unknown': /cannot be column "id"/u,
  'note = ^5': /cannot compare column "note" of table public\.orders with a number\. .* write the constant in quotes/u,
  'note in ($1, ^5)': /cannot compare column "note" .* with a number/u,
  "day = ^'2024-02-30'":
    /The constant "2024-02-30" in 'where' does not fit column "day" of table public\.orders, whose type is date: date\/time field value out of range/u,
  "id = 1 and day between '2024-01-01' and ^'soon'": /"soon" .* whose type is date: invalid input syntax/u,
  "day not between symmetric ^'soon' and '2024-01-01'": /"soon"/u,
  "id in (1, 2, ^'x')": /"x" in 'where' does not fit column "id" of table public\.orders, whose type is integer/u,
  'id = any (^$1)': /"a" in 'where' does not fit column "id"/u,
  "mood = ^'mad'": /whose type is mood: .* Its labels are "sad", "glad"\./u,
  'total = ^1e400::float8': /whose type is numeric, compared with a float8/u,
  "note like ^'a\\'": /must not end with its escape character/u,
  "city ^> 'm'": /'where' with > on column "city" of table public\.orders cannot be evaluated exactly/u,
}

describePostgres('a condition in SQL that does not suit its table', (postgres) => {
  test('is refused with the place', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TYPE mood AS ENUM ('sad', 'glad')`)
    await database.query(
      `CREATE TABLE public.orders
         (id int, note text, total numeric, paid boolean, doc json, page xml, day date, mood mood, city text COLLATE "und-x-icu")`,
    )
    const connection = await canonicalConnection(database)
    const columns = await typesOf(connection, 'public.orders')
    const normalise = normaliseOver(connection)
    for (const [marked, sentence] of Object.entries(REFUSED)) {
      const at = marked.indexOf('^')
      const text = marked.slice(0, at) + marked.slice(at + 1)
      const values = text.includes('any ($1)') ? [['1', 'a']] : text.includes('$1') ? ['a'] : []
      const parsed = await parseCondition(text, values, columns)
      for (const condition of [parsed, conditionOf({ and: [{ not: parsed }] })]) {
        await assert.rejects(
          async () => {
            const constants = await normalisedConstants(condition, columns, normalise, TABLE)
            compileCondition(condition, columns, constants, TABLE)
          },
          (error: unknown) => {
            assert.ok(error instanceof Error, text)
            const [first, line, caret, ...more] = error.message.split('\n')
            assert.match(first ?? '', sentence)
            assert.deepEqual([line, caret, ...more], [`  ${text}`, `  ${' '.repeat(at)}^`])
            assert.deepEqual(error.cause, { text, offset: at, line: 1, column: at + 1 })
            return true
          },
          text,
        )
      }
    }
  })
})
