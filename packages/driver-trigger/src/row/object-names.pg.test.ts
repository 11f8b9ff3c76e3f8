import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

describePostgres('columns that hold the names of objects', (postgres) => {
  test.each([[''], ['?options=-csearch_path%3D%22Odd.One%22']])(
    'print them as a program with the same connection string reads them%s',
    async (options) => {
      await using database = await postgres.createDatabase()
      await database.query(`
        CREATE SCHEMA "Odd.One";
        CREATE TABLE public.here (id int); CREATE TABLE "Odd.One"."There x" (id int);
        CREATE TYPE public.mood AS ENUM ('sad'); CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE TABLE public.t (id int PRIMARY KEY, c regclass, t regtype, p regproc, note text)`)
      const connection = `${database.url}${options}`
      await using session = await openTestSession({ connection })
      await session.capture('public.t')
      const writer = await database.connect()
      await writer.query(`
        SET search_path = pg_catalog;
        INSERT INTO public.t VALUES
          (1, 'public.here', 'public.mood', 'public.f', 'public.here'),
          (2, '"Odd.One"."There x"', 'int[]', 'pg_catalog.now', null),
          (3, 'pg_catalog.pg_class', '"char"', '-', ''),
          (4, '-', 'timestamptz', '4294967295', null), (5, '4294967295', '-', null, null)`)
      const reader = await database.connect({ connectionString: connection })
      const { rows } = await reader.query<Record<'id' | 'c' | 't' | 'p' | 'note', string | null>>(
        'SELECT id::text, c::text, t::text, p::text, note FROM public.t ORDER BY id',
      )
      const changes = await session.count(5)
      expect(changes.map(({ relation, new: row }) => relation.columns.map((_, index) => row?.text(index)))).toEqual(
        rows.map((row) => [row.id, row.c, row.t, row.p, row.note]),
      )
    },
  )
})
