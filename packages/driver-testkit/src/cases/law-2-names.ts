import { parseTableName, quoteIdentifier, quoteTableName } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { assertSameRows, readTable } from '../tools/read-table.ts'
import { fold } from '../tools/fold.ts'

const LONG = 'n'.repeat(63)

/** Tables as a user writes them. */
const TABLES = [
  '"Odd Schema"."Ta""ble.x"',
  '"Odd Schema"."Täble 日本"',
  `public."${LONG}"`,
  `"${LONG}"."${LONG}"`,
  'public."select"',
  'public."MixedCase"',
  'public."it\'s; -- $1 %s \\ $$"',
  'public."__proto__"',
  'public.constructor',
] as const

const COLUMNS = [
  'select',
  'Mixed Case',
  'q"uote',
  "it's",
  'back\\slash',
  'ünïcödé',
  '日本',
  '__proto__',
  'constructor',
  'toString',
  'a.b',
  'new',
  'old',
  'tg_op',
  LONG,
]

const names: ConformanceCase = {
  name: 'names that need quotes, of schemas, tables and columns, are as the catalogue spells them',
  law: 2,
  needs: ['operations.insert', 'operations.update', 'operations.delete'],
  async run(context) {
    const { database } = context
    const client = await context.connect()
    for (const schema of ['Odd Schema', LONG]) await database.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`)
    for (const written of TABLES) {
      const table = quoteTableName(parseTableName(written))
      const columns = COLUMNS.map((column) => `${quoteIdentifier(column)} text`)
      await database.query(`CREATE TABLE ${table} ("Id" int PRIMARY KEY, ${columns.join(', ')})`)
      const collector = await context.listen(client, { table: written })
      const values = COLUMNS.map((column) => `of ${column}`)
      const parameters = COLUMNS.map((_, index) => `$${index + 1}`)
      for (const id of [1, 2])
        await database.query(`INSERT INTO ${table} VALUES (${id}, ${parameters.join(', ')})`, values)
      await database.query(`UPDATE ${table} SET "__proto__" = 'changed' WHERE "Id" = 1`)
      await database.query(`DELETE FROM ${table} WHERE "Id" = 2`)
      const events = await collector.count(4, `the changes of ${written}`)
      for (const event of events) assert.deepEqual({ schema: event.schema, name: event.table }, parseTableName(written))
      assertSameRows(fold(events), await readTable(database, written, ['Id']), `the fold of ${written}`)
    }
  },
}

const keyNames: ConformanceCase = {
  name: 'a key whose columns are named like properties of every object is a key like any other',
  law: 2,
  needs: ['operations.insert', 'operations.delete'],
  async run(context) {
    const { database } = context
    await database.query(
      'CREATE TABLE public.t ("__proto__" int, constructor int, PRIMARY KEY (constructor, "__proto__"))',
    )
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query('INSERT INTO public.t VALUES (1, 2); DELETE FROM public.t')
    const events = await collector.count(2, 'an insert and a delete')
    for (const event of events) {
      const key = new Map(Object.entries(event.key ?? {}))
      assert.deepEqual(
        [key.get('__proto__'), key.get('constructor'), key.size],
        [1, 2, 2],
        `the key of the ${event.kind}`,
      )
    }
  },
}

/** Law 2: no name is lost. */
export const nameCases: readonly ConformanceCase[] = [names, keyNames]
