import { describePostgres } from '@rowtap/driver-testkit/vitest'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { parseCondition } from './parse-condition.ts'
import type { ColumnSample } from './testing/column-samples.ts'
import { COLUMN_SAMPLES, SAMPLE_COLUMNS } from './testing/column-samples.ts'
import { printCondition } from './testing/print-condition.ts'

const TEXTS_A_QUERY = 25
const LEAVES_A_QUERY = 5
const RUNS = 100

const COMPARISONS = ['=', '<>', '!=', '<', '<=', '>', '>=', 'is distinct from', 'is not distinct from']
const PATTERNS = [`'a%'`, `'A_b'`, `'a!%b' escape '!'`, `'\\\\' escape ''`, `'it''s'`, `'a\\b' escape 'x'`]

function comparisonOn({ name, constants, arrays, sql }: ColumnSample): fc.Arbitrary<string> {
  const constant = fc.constantFrom(...constants)
  const forms: fc.Arbitrary<string>[] = [
    fc.tuple(fc.constantFrom(...COMPARISONS), constant).map(([operator, one]) => `${name} ${operator} ${one}`),
    fc.tuple(fc.constantFrom(...COMPARISONS), constant).map(([operator, one]) => `${one} ${operator} ${name}`),
    fc
      .tuple(fc.constantFrom('in', 'not in'), fc.array(constant, { minLength: 1, maxLength: 4 }))
      .map(([word, list]) => `${name} ${word} (${list.join(', ')})`),
    fc
      .tuple(
        fc.constantFrom('between', 'not between', 'between symmetric', 'not between symmetric'),
        constant,
        constant,
      )
      .map(([word, low, high]) => `${name} ${word} ${low} and ${high}`),
    fc.tuple(fc.constantFrom('', 'not '), constant).map(([not, one]) => `${one} ${not}between ${name} and ${name}`),
    fc.constantFrom(`${name} is null`, `${name} notnull`),
  ]
  if (arrays.length > 0) {
    const array = fc.constantFrom(...arrays, `null`)
    const operator = fc.constantFrom('=', '<>', '<', '<=', '>', '>=')
    forms.push(
      fc
        .tuple(operator, fc.constantFrom('any', 'all'), array)
        .map(([symbol, word, one]) => `${name} ${symbol} ${word} (${one})`),
    )
  }
  if (sql === 'text' || sql === 'varchar' || sql === 'bpchar') {
    const word = fc.constantFrom('like', 'not like', 'ilike', 'not ilike')
    forms.push(fc.tuple(word, fc.constantFrom(...PATTERNS)).map(([like, pattern]) => `${name} ${like} ${pattern}`))
  }
  if (sql === 'bool') {
    forms.push(fc.constantFrom('', ' is true', ' is not true', ' is not false', ' is unknown').map((is) => name + is))
  }
  return fc.oneof(...forms)
}

const leaves = fc.oneof(...COLUMN_SAMPLES.map(comparisonOn))

const { text: texts } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: leaves },
    { weight: 1, arbitrary: tie('text').map((text) => `not (${text})`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.array(tie('text'), { minLength: 2, maxLength: 3 }), fc.constantFrom(' and ', ' or '))
        .map(([parts, word]) => `(${parts.join(word)})`),
    },
  ),
}))

/** Whether a text is a condition; `false`: it is refused because a comparison in it is true of no row. */
async function isMeant(text: string): Promise<boolean> {
  try {
    await parseCondition(text, [], SAMPLE_COLUMNS)
    return true
  } catch (error) {
    assert.match(String(error), /is true of no row/u)
    return false
  }
}

describePostgres('SQL text', (postgres) => {
  test('means what PostgreSQL makes of it', { timeout: 300_000 }, async () => {
    await using database = await postgres.createDatabase()
    // PostgreSQL reads such numbers since version 16.
    const readable = (text: string): string =>
      postgres.version >= 16 ? text : text.replaceAll('0x10', '16').replaceAll('16_777_217', '16777217')
    const definitions = COLUMN_SAMPLES.map(({ name, sql }) => `${name} ${sql}`)
    await database.query(`CREATE TABLE sample (${definitions.join(', ')})`)
    const rows = Math.max(...COLUMN_SAMPLES.map(({ values }) => values.length)) + 1
    for (let row = 0; row < rows; row++) {
      const values = COLUMN_SAMPLES.map((column) => column.values[row] ?? null)
      const places = values.map((_, index) => `$${index + 1}`)
      await database.query(`INSERT INTO sample VALUES (${places.join(', ')})`, values)
    }

    let compared = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(texts, { minLength: TEXTS_A_QUERY, maxLength: TEXTS_A_QUERY, size: 'max' }),
        fc.array(leaves, { minLength: LEAVES_A_QUERY, maxLength: LEAVES_A_QUERY, size: 'max' }),
        async (all, some) => {
          for (const leaf of some) {
            if (await isMeant(leaf)) continue
            const [row] = await database.query(`SELECT count(*)::int AS n FROM sample WHERE ${readable(leaf)}`)
            assert.equal(row?.['n'], 0, `${leaf} is refused, and is true of some rows`)
            refused++
          }
          const drawn: string[] = []
          for (const text of all) if (await isMeant(text)) drawn.push(text)
          if (drawn.length === 0) return
          const expressions: string[] = []
          for (const text of drawn) {
            const condition = await parseCondition(text, [], SAMPLE_COLUMNS)
            expressions.push(readable(text), printCondition(condition))
          }
          const columns = expressions.map((expression, index) => `(${expression})::text AS c${index}`)
          for (const row of await database.query(`SELECT ${columns.join(', ')} FROM sample`)) {
            for (const [index, text] of drawn.entries()) {
              const printed = expressions[index * 2 + 1]
              assert.equal(row[`c${index * 2 + 1}`], row[`c${index * 2}`], `${text}\nbecame\n${printed}`)
              compared++
            }
          }
        },
      ),
      { numRuns: RUNS },
    )
    assert.ok(compared >= (RUNS * TEXTS_A_QUERY * rows) / 2)
    assert.ok(refused > 0)
  })
})
