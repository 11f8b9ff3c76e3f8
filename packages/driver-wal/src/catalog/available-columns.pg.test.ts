import { connect } from '@rowtap/core'
import { collect } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

/** Types that are never left out of an update, with their largest values: those of one column are not like another's. */
const BOUNDED: Readonly<Record<string, string>> = {
  'varchar(5)': `repeat(U&'\\+01F600', 4) || chr(70000 + i)`,
  'char(5)': `repeat(U&'\\+01F600', 4) || chr(70000 + i)`,
  'numeric(32,0)': `(repeat('9', 28) || (1000 + i))::numeric`,
  'numeric(29,1)': `-(repeat('9', 25) || (100 + i) || '.9')::numeric`,
  'numeric(12,2)': `(repeat('9', 7) || (100 + i) || '.99')::numeric`,
  'numeric(20,20)': `('0.' || repeat('9', 17) || (100 + i))::numeric`,
  'bit(128)': `(repeat('10', 60) || i::bit(8))::bit(128)`,
  'varbit(128)': `(repeat('10', 60) || i::bit(8))::varbit(128)`,
  inet: `('ffff:ffff:ffff:ffff:ffff:ffff:ffff:' || to_hex(i + 4096) || '/127')::inet`,
  cidr: `('ffff:ffff:ffff:ffff:ffff:ffff:ffff:' || to_hex(i + 4096))::cidr`,
  int4range: `int4range(i, 2147483646)`,
  daterange: `daterange(date '2000-01-01' + i, 'infinity')`,
}

/** Types whose values are larger than the pointer that takes their place, even with the smaller header of stored ones. */
const UNBOUNDED: Readonly<Record<string, string>> = {
  'varchar(6)': `repeat(U&'\\+01F600', 5) || chr(70000 + i)`,
  'numeric(48,0)': `(repeat('9', 44) || (1000 + i))::numeric`,
  'varbit(160)': `(repeat('10', 76) || i::bit(8))::varbit(160)`,
}

const COUNT = 200

/** A table with 200 columns of these types, one large text, and a row whose every value is a large one. */
function tableOf(types: Readonly<Record<string, string>>): string {
  const all = Object.entries(types)
  const columns = Array.from({ length: COUNT }, (_, i) => {
    const [type = '', value = ''] = all[i % all.length] ?? []
    return { name: `c${i}`, definition: `c${i} ${type}`, value: value.replaceAll(/\bi\b/gu, String(i)) }
  })
  return `
    CREATE TABLE t (id int PRIMARY KEY, n int, large text, ${columns.map(({ definition }) => definition).join(', ')});
    ALTER TABLE t ${columns.map(({ name }) => `ALTER ${name} SET STORAGE EXTERNAL`).join(', ')};
    INSERT INTO t VALUES (
      1, 1, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 2000) AS i), ${columns.map(({ value }) => value).join(', ')}
    )`
}

describePostgres('the columns of an update that leaves them alone', (postgres) => {
  test('are there where their types are small enough to stay in the row', async () => {
    await using database = await postgres.createDatabase()
    await database.query(tableOf(BOUNDED))
    await using wal = await testSession({ connection: database.url })
    const relation = await wal.session.describe({ schema: 'public', name: 't' })
    expect(relation.columns.filter((column) => column.mayBeUnavailable).map(({ name }) => name)).toEqual(['large'])
    await wal.session.capture([wanted('t')])
    await database.query('UPDATE t SET n = 2')
    const [update] = await wal.count(1)
    const missing = relation.columns.filter((_, index) => update?.new?.[index] === undefined)
    expect(missing.map(({ name }) => name)).toEqual(['large'])
  })

  test('may be missing where their types are larger', async () => {
    await using database = await postgres.createDatabase()
    await database.query(tableOf(UNBOUNDED))
    await using wal = await testSession({ connection: database.url })
    const relation = await wal.session.describe({ schema: 'public', name: 't' })
    expect(relation.columns.filter((column) => column.mayBeUnavailable)).toHaveLength(COUNT + 1)
    await wal.session.capture([wanted('t')])
    await database.query('UPDATE t SET n = 2')
    const [update] = await wal.count(1)
    const missing = relation.columns.filter((_, index) => update?.new?.[index] === undefined)
    expect(missing).toHaveLength(COUNT + 1)
  })

  test('are there after a column that held large values was narrowed, and under a domain', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE DOMAIN short AS varchar(5);
      CREATE DOMAIN shorter AS short;
      CREATE TABLE t (id int PRIMARY KEY, n int, v text, w varchar(100000), d text, x numeric);
      ALTER TABLE t ALTER v SET STORAGE EXTERNAL, ALTER w SET STORAGE EXTERNAL, ALTER d SET STORAGE EXTERNAL,
        ALTER x SET STORAGE EXTERNAL;
      INSERT INTO t SELECT 1, 1, text, text, text, repeat('7', 20000)::numeric
        FROM (SELECT 'a' || repeat(' ', 20000) AS text) AS padded;
      ALTER TABLE t ALTER v TYPE varchar(5), ALTER w TYPE char(5), ALTER d TYPE shorter USING d::varchar(5),
        ALTER x TYPE numeric(12,2) USING mod(x, 1000000)`)
    await using wal = await testSession({ connection: database.url })
    const relation = await wal.session.describe({ schema: 'public', name: 't' })
    expect(relation.columns.filter((column) => column.mayBeUnavailable)).toEqual([])
    await wal.session.capture([wanted('t')])
    await database.query('UPDATE t SET n = 2')
    const [update] = await wal.count(1)
    expect(update?.new).toEqual(['1', '2', 'a    ', 'a    ', 'a    ', '777777.00'])
  })

  test('may be missing where a column was told to store values in the row only when it held large ones', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, n int, v text);
      INSERT INTO t SELECT 1, 1, string_agg(md5(i::text), '') FROM generate_series(1, 200) AS i;
      ALTER TABLE t ALTER v SET STORAGE PLAIN`)
    await using wal = await testSession({ connection: database.url })
    const relation = await wal.session.describe({ schema: 'public', name: 't' })
    await wal.session.capture([wanted('t')])
    await database.query('UPDATE t SET n = 2')
    const [update] = await wal.count(1)
    expect([update?.new?.[2], relation.columns[2]?.mayBeUnavailable]).toEqual([undefined, true])
  })

  test('serve a condition on updates without the whole old row', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, total numeric(12,2), code varchar(4), note text)')
    await using client = await connect(walDriver({ connection: database.url }))
    const listener = client.listen({
      table: 't',
      where: { total: { gte: 100 }, code: { neq: 'x' } },
      transitions: 'idempotent',
    })
    const collector = collect(listener)
    await listener.ready
    await database.query(`
      INSERT INTO t SELECT 1, 99, 'a', string_agg(md5(i::text), '') FROM generate_series(1, 2000) AS i;
      UPDATE t SET total = 100; UPDATE t SET code = 'b'; UPDATE t SET total = 1`)
    const events = await collector.count(3, 'into the condition, within, and out of it')
    expect(events.map(({ kind }) => kind)).toEqual(['update', 'update', 'delete'])
    const refused = client.listen({ table: 't', where: { note: 'a' }, transitions: 'idempotent' })
    await expect(refused.ready).rejects.toThrow(/ALTER TABLE .*REPLICA IDENTITY FULL/u)
  })
})
