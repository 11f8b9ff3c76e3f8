import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { insert } from '../tools/expected-events.ts'
import { eventsSoFar, shapesOf, standardTable } from '../tools/standard-table.ts'

/** Operators and functions of a schema that is searched before PostgreSQL's own. Each counts how often it ran. */
const IN_THE_WAY = `
  CREATE SCHEMA in_the_way;
  CREATE SEQUENCE in_the_way.ran;
  DO $outer$
  DECLARE type text; signature text;
  BEGIN
    FOREACH type IN ARRAY ARRAY['text', 'name', 'int4', 'int8', 'oid', '"char"', 'bool'] LOOP
      EXECUTE pg_catalog.format(
        'CREATE FUNCTION in_the_way.equals(%1$s, %1$s) RETURNS bool LANGUAGE plpgsql AS %2$L', type,
        'BEGIN PERFORM pg_catalog.nextval(''in_the_way.ran''); RETURN $1 OPERATOR(pg_catalog.=) $2; END');
      EXECUTE pg_catalog.format(
        'CREATE OPERATOR in_the_way.= (FUNCTION = in_the_way.equals, LEFTARG = %1$s, RIGHTARG = %1$s)', type);
    END LOOP;
    FOREACH signature IN ARRAY ARRAY[
      'pg_backend_pid() RETURNS int4', 'lower(text) RETURNS text', 'current_setting(text) RETURNS text',
      'version() RETURNS text', 'set_config(text, text, bool) RETURNS text', 'current_database() RETURNS name',
      'quote_ident(text) RETURNS text', 'to_regclass(text) RETURNS regclass'
    ] LOOP
      EXECUTE pg_catalog.format('CREATE FUNCTION in_the_way.%s LANGUAGE plpgsql AS %L', signature,
        'BEGIN PERFORM pg_catalog.nextval(''in_the_way.ran''); RETURN NULL; END');
    END LOOP;
  END $outer$`

const searchPath: ConformanceCase = {
  name: 'what somebody puts in the way of the search_path is never run, neither by the driver nor by what it captures with',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await database.query(IN_THE_WAY)
    await database.query(`ALTER DATABASE "${database.name}" SET search_path = in_the_way, pg_catalog, public`)
    const client = await context.connect()
    const collector = await context.listen(client, { table: 'public.t' })
    await database.query(`INSERT INTO public.t VALUES (1, 'x')`)
    assert.deepEqual(shapesOf(await eventsSoFar(database, collector, 't')), [insert(1, 'x')])
    await client.close()
    const [ran] = await database.query('SELECT is_called, last_value FROM in_the_way.ran')
    assert.deepEqual(ran, { is_called: false, last_value: '1' }, 'code of others was run')
  },
}

const readOnly: ConformanceCase = {
  name: 'a database whose transactions are read-only by default is captured as any other',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await database.query(`ALTER DATABASE "${database.name}" SET default_transaction_read_only = on`)
    const client = await context.connect()
    const collector = await context.listen(client, { table: 'public.t' })
    await database.query(`INSERT INTO public.t VALUES (1, 'x')`)
    assert.deepEqual(shapesOf(await eventsSoFar(database, collector, 't')), [insert(1, 'x')])
    await client.close()
  },
}

/** Law 9: neither does the driver any harm, nor does it suffer, where a database has settings of its own. */
export const databaseSettingCases: readonly ConformanceCase[] = [searchPath, readOnly]
