import { ColumnTypeBook } from '@rowtap/core/driver'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { Connection } from './drawn-table.ts'
import { canonicalConnection, textRows } from './drawn-table.ts'

/** A book, and the statements that it has run so far. */
function bookOver(connection: Connection): { book: ColumnTypeBook; statements: string[] } {
  const statements: string[] = []
  const book = new ColumnTypeBook(async ({ text, values }) => {
    statements.push(text)
    const [row] = await textRows(connection, text, values)
    return row ?? []
  })
  return { book, statements }
}

async function oidOf(connection: Connection, name: string, catalogue: 'regclass' | 'regtype'): Promise<number> {
  const [row] = await textRows(connection, `SELECT $1::${catalogue}::oid::text`, [name])
  return Number(row?.[0])
}

describePostgres('the types of captured tables’ columns', (postgres) => {
  test('are asked for again only where labels of a compared enumeration are others', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TYPE level AS ENUM ('low'); CREATE TYPE other AS ENUM ('a'); CREATE DOMAIN levels AS level[];
      CREATE TABLE t (id int, v levels, w other)`)
    const connection = await canonicalConnection(database)
    const { book, statements } = bookOver(connection)
    const table = await oidOf(connection, 't', 'regclass')
    const typeOid = await oidOf(connection, 'level[]', 'regtype')
    const labels = (): readonly string[] | null => {
      const type = book.typeOf(table, { name: 'v', typeOid, typeName: 'levels' })
      return type.kind === 'array' && type.element.kind === 'enum' ? type.element.labels : null
    }
    await book.read(table)
    assert.deepEqual(labels(), ['low'])
    const { version } = book
    await book.read(table)
    assert.equal(book.version, version)

    await database.query(`ALTER TYPE level ADD VALUE 'high'`)
    statements.length = 0
    await book.refresh()
    book.compare(new Map([[table, new Set(['id'])]]))
    await book.refresh()
    assert.deepEqual([statements.length, labels()], [0, ['low']])

    book.compare(new Map([[table, new Set(['v'])]]))
    await book.refresh()
    assert.deepEqual(labels(), ['low', 'high'])
    assert.notEqual(book.version, version)
    await book.refresh()
    statements.length = 0
    await database.query(`ALTER TYPE other ADD VALUE 'b'; ALTER TABLE t ADD x int`)
    await book.refresh()
    assert.equal(statements.length, 1)
    await database.query(`ALTER TYPE level RENAME VALUE 'low' TO 'lowest'`)
    await book.refresh()
    assert.deepEqual(labels(), ['lowest', 'high'])
    const renamed = book.version
    await database.query(`
      ALTER TYPE level RENAME VALUE 'high' TO 'x'; ALTER TYPE level RENAME VALUE 'x' TO 'high'`)
    await book.refresh()
    assert.deepEqual(labels(), ['lowest', 'high'])
    assert.notEqual(book.version, renamed)

    // Changes of a column that has gone may still come, and so may those of one with another type of the same name.
    await database.query('ALTER TABLE t DROP v')
    await book.read(table)
    assert.deepEqual(labels(), ['lowest', 'high'])
    assert.equal(book.typeOf(table, { name: 'v', typeOid: 23, typeName: 'integer' }).displayName, 'integer')
    assert.equal(book.typeOf(table, { name: 'v', typeOid: 23, typeName: 'integer' }).castName, '"pg_catalog"."text"')
  })

  test('are as new as a transaction once it can be seen', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TYPE level AS ENUM ('low'); CREATE TABLE t (v level)`)
    const connection = await canonicalConnection(database)
    const { book } = bookOver(connection)
    const table = await oidOf(connection, 't', 'regclass')
    await book.read(table)
    book.compare(new Map([[table, new Set(['v'])]]))
    const writer = await database.connect()
    await writer.query('BEGIN')
    const [running] = await textRows(writer, 'SELECT pg_current_xact_id()::xid::text')
    const xid = running?.[0] ?? ''
    assert.equal(await book.refresh([xid]), false)
    // One that began after it, and has ended, does not say that it has.
    await database.query('CREATE TABLE later (id int)')
    assert.equal(await book.refresh([xid]), false)
    await writer.query('COMMIT')
    assert.equal(await book.refresh([xid]), true)
    assert.equal(await book.refresh([]), true)
  })
})
