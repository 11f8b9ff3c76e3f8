import { connect } from '@rowtap/core'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

const TABLES = `
  CREATE TYPE level AS ENUM ('low', 'high');
  CREATE DOMAIN rank AS level;
  CREATE TABLE t (id int PRIMARY KEY, v level, r rank);
  CREATE TABLE kept (id int PRIMARY KEY)`

describePostgres('a type that is dropped with its table', (postgres) => {
  test.each(['', 'ALTER TABLE t ADD COLUMN w int; '])(
    'ends nobody who compares its values, and disturbs nobody else: %s',
    async (altering) => {
      await using database = await postgres.createDatabase()
      await database.query(TABLES)
      await using client = await connect(walDriver({ connection: database.url }), { on: { gap: () => undefined } })
      const heard: unknown[] = []
      const listeners = [
        client.listen({ table: 'public.t', transitions: 'idempotent', where: { v: 'high' } }),
        client.listen({ table: 'public.t', transitions: 'idempotent', where: { r: 'low' } }),
        client.listen({ table: 'public.kept' }),
      ]
      for (const listener of listeners) listener.on('insert', (event) => heard.push([event.table, event.new]))
      await Promise.all(listeners.map(({ ready }) => ready))
      // What the transaction has written arrives when the type is gone.
      await database.query(`
        BEGIN; ${altering}INSERT INTO t (id, v, r) VALUES (1, 'high', 'high'), (2, 'low', 'low');
        DROP TABLE t; DROP DOMAIN rank; DROP TYPE level; COMMIT`)
      await database.query('INSERT INTO kept VALUES (3)')
      await eventually(() => heard.length === 3, 'what each of them wanted')
      const columns = altering === '' ? {} : { w: null }
      expect(heard).toEqual([
        ['t', { id: 1, v: 'high', r: 'high', ...columns }],
        ['t', { id: 2, v: 'low', r: 'low', ...columns }],
        ['kept', { id: 3 }],
      ])
    },
  )
})
