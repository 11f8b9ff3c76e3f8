import type { Client } from 'pg'
import type { TestDatabase } from '../postgres/test-database.ts'

/** Settings under which output functions print values in ways that a reader does not expect. */
const HOSTILE_SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'German, DMY',
  IntervalStyle: 'iso_8601',
  TimeZone: 'Asia/Kathmandu',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  client_encoding: 'LATIN1',
  standard_conforming_strings: 'off',
  quote_all_identifiers: 'on',
  xmlbinary: 'hex',
  transform_null_equals: 'on',
}

/** Functions in the writer's way: whoever calls one without its schema gets an error in the writer's statement. */
const HOSTILE_SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS hostile;
  GRANT USAGE ON SCHEMA hostile TO PUBLIC;
  DO $outer$
  DECLARE signature text;
  BEGIN
    FOREACH signature IN ARRAY ARRAY[
      'pg_notify(text, text)', 'now()', 'clock_timestamp()', 'txid_current()', 'pg_current_xact_id()',
      'nextval(regclass)', 'to_jsonb(anyelement)', 'row_to_json(record)', 'current_setting(text)',
      'current_setting(text, boolean)', 'set_config(text, text, boolean)', 'pg_backend_pid()', 'octet_length(text)'
    ] LOOP
      EXECUTE format(
        'CREATE OR REPLACE FUNCTION hostile.%s RETURNS void LANGUAGE plpgsql AS %L',
        signature, 'BEGIN RAISE EXCEPTION ''an unqualified name was resolved in the writer''''s search_path''; END');
    END LOOP;
  END $outer$`

/** A writer whose session settings are as unhelpful as PostgreSQL allows. Tables are written with their schema. */
export async function hostileWriter(database: TestDatabase): Promise<Client> {
  await database.query(HOSTILE_SCHEMA)
  const client = await database.connect()
  for (const [name, value] of Object.entries(HOSTILE_SETTINGS)) await client.query(`SET ${name} = '${value}'`)
  await client.query('SET search_path = hostile, pg_catalog')
  return client
}
