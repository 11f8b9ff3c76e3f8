import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

const SETTINGS = `
  SET DateStyle = 'German, DMY'; SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = -5;
  SET bytea_output = 'escape'; SET quote_all_identifiers = on`

/** Types, a value of each, and the bits of the settings that decide how it is printed. */
const TYPES: readonly (readonly [type: string, value: string, settings: number])[] = [
  ['int', `1`, 0],
  ['numeric(9, 3)', `1.25`, 0],
  ['text[]', `ARRAY['a', NULL]`, 0],
  ['jsonb', `'{"a": [1]}'`, 0],
  ['mood', `'happy'`, 0],
  ['short', `'x'`, 0],
  ['timestamptz', `'2026-01-02 03:04:05+00'`, 1],
  ['date[]', `ARRAY['2026-01-02'::date]`, 1],
  ['moment', `'2026-01-02 03:04:05'`, 1],
  ['interval', `'1 day 2 hours'`, 1],
  ['float8', `0.1::float8 + 0.2::float8`, 2],
  ['float4[]', `ARRAY[0.1::float4]`, 2],
  ['bytea', `'\\x00ff'`, 7],
  ['money', `12.5`, 7],
  ['regclass', `'pg_class'`, 7],
  ['point', `'(0.1, 0.2)'`, 7],
  ['tstzrange', `'[2026-01-02 03:04:05+00,)'`, 7],
  ['pair', `ROW('2026-01-02', 0.1)`, 7],
  ['pair[]', `ARRAY[ROW('2026-01-02', 0.1)::pair]`, 7],
]

describePostgres('what a row of one column is printed as', (postgres) => {
  test('does not depend on the writer’s settings, and only those that matter are looked at', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE DOMAIN short AS varchar(3); CREATE DOMAIN moment AS timestamp;
      CREATE TYPE pair AS (day date, n float8)`)
    const tables = TYPES.map((_, index) => `t${index}`)
    for (const [index, [type]] of TYPES.entries()) await database.query(`CREATE TABLE t${index} (v ${type})`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture(...tables)
    const [writer, plain] = [await database.connect(), await database.connect()]
    await writer.query(SETTINGS)
    for (const [index, [, value]] of TYPES.entries()) {
      await plain.query(`INSERT INTO t${index} VALUES (${value})`)
      await writer.query(`INSERT INTO t${index} VALUES (${value})`)
      // One that is planned while settings are as they are to be, and used while they are not.
      await plain.query(SETTINGS)
      await plain.query(`INSERT INTO t${index} VALUES (${value})`)
      await plain.query('RESET ALL')
    }
    const changes = await session.count(3 * TYPES.length)
    const texts = tables.map((table) =>
      changes.filter(({ relation }) => relation.name === table).map((one) => one.new?.text(0)),
    )
    expect(texts.map((three) => new Set(three).size)).toEqual(TYPES.map(() => 1))
    expect(texts[6]).toContain('2026-01-02 03:04:05+00')
    expect(texts[10]).toContain('0.30000000000000004')
    const known = await database.query('SELECT relation::regclass::text AS table, settings FROM rowtap.shape')
    const settings = new Map(known.map((row) => [row['table'], row['settings']]))
    expect(TYPES.map(([type], index) => [type, settings.get(`t${index}`)])).toEqual(
      TYPES.map(([type, , bits]) => [type, bits]),
    )
  })
})
