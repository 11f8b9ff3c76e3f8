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

  test.each([['public'], ['own, pg_catalog'], ['pg_catalog, own, public']])(
    'of every kind, and arrays of them, under the search_path %s',
    async (path) => {
      await using database = await postgres.createDatabase()
      await database.query(`
        CREATE SCHEMA own;
        CREATE TABLE own."a b" (id int); CREATE TABLE own.pg_class (id int); CREATE TYPE own.mood AS ENUM ('sad');
        CREATE FUNCTION own.f(own.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION own.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE OPERATOR own.%%% (FUNCTION = own.f, RIGHTARG = int);
        CREATE TEXT SEARCH CONFIGURATION own.english (COPY = pg_catalog.english);
        CREATE TEXT SEARCH DICTIONARY own.words (TEMPLATE = simple);
        CREATE COLLATION own."Coll" FROM "C";
        CREATE TABLE public.t (id int PRIMARY KEY,
          a regproc, b regprocedure, c regoper, d regoperator, e regclass, f regtype, g regconfig, h regdictionary, i regcollation,
          aa regproc[], ba regprocedure[], ca regoper[], da regoperator[], ea regclass[], fa regtype[], ga regconfig[], ha regdictionary[], ia regcollation[])`)
      const url = `${database.url}?options=${encodeURIComponent(`-csearch_path=${path.replaceAll(' ', '')}`)}`
      await using session = await openTestSession({ connection: url })
      await session.capture('public.t')
      await database.query(`
        INSERT INTO public.t VALUES
          (1, 'pg_catalog.now', 'own.f(own.mood)', 'own.%%%', 'own.%%%(none,int)', 'own."a b"', 'own.mood[]', 'own.english',
            'own.words', 'own."Coll"',
            '{pg_catalog.now,pg_catalog.version}', '{own.f(own.mood),own.f(int)}', '{own.%%%,NULL}', '{"own.%%%(none,int)"}',
            '{{pg_class,"own.\\"a b\\""},{own.pg_class,t}}', '[0:1]={own.mood,text}', '{own.english,english}', '{own.words,simple}',
            '{"own.\\"Coll\\""}'),
          (2, '-', 'pg_catalog.lower(text)', 'pg_catalog.|/', 'pg_catalog.-(int,int)', 'own.pg_class', 'text', 'english', 'simple', '"C"',
            '{-}', '{-}', '{0,551}', '{0}', '{-,4294967295}', '{}', NULL, '{NULL}', '{}')`)
      const reader = await database.connect({ connectionString: url })
      const { rows } = await reader.query<(string | null)[]>({
        text: 'SELECT * FROM public.t ORDER BY id',
        rowMode: 'array',
        types: { getTypeParser: () => (text: string) => text },
      })
      const changes = await session.count(2)
      expect(changes.map(({ relation, new: row }) => relation.columns.map((_, index) => row?.text(index)))).toEqual(
        rows,
      )
    },
  )

  test('are looked up without running what somebody else put on the search_path', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE SCHEMA evil; CREATE SEQUENCE evil.calls; CREATE TABLE public.t (id int PRIMARY KEY, c regclass, n text);
      CREATE FUNCTION evil.eq(int, int) RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('evil.calls') > 0 $$;
      CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('evil.calls') > 0 $$;
      CREATE FUNCTION evil.eq(oid, oid) RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('evil.calls') > 0 $$;
      CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = int, RIGHTARG = int);
      CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = text, RIGHTARG = text);
      CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = oid, RIGHTARG = oid);
      CREATE DOMAIN evil.text AS pg_catalog.text CHECK (nextval('evil.calls') > 0);
      ALTER DATABASE ${database.name} SET search_path = evil, pg_catalog, public`)
    const session = await openTestSession({ connection: database.url })
    await session.capture('public.t')
    const writer = await database.connect()
    await writer.query(
      `BEGIN; INSERT INTO t VALUES (1, 'pg_class', 'a'); ALTER TABLE t ADD x int; UPDATE t SET n = 'b'; COMMIT`,
    )
    await writer.query(`BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (2, 't', 'a'); COMMIT`)
    expect((await session.count(3)).map((change) => change.new?.text(1))).toEqual(['pg_class', 'pg_class', 't'])
    await session.close()
    expect(await database.query('SELECT is_called FROM evil.calls')).toEqual([{ is_called: false }])
  })
})
