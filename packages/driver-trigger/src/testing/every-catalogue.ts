import type { TestDatabase } from '@rowtap/driver-testkit'

/** What the server changes by itself, or keeps after a trigger is dropped until the table is vacuumed. */
const OF_THE_SERVER = `'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid', 'relhastriggers',
  'datfrozenxid', 'datminmxid'`

const CATALOGUES = `
  SELECT relname AS name FROM pg_catalog.pg_class
  WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
    AND relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_authid', 'pg_auth_members', 'pg_database', 'pg_subscription', 'pg_largeobject')
  ORDER BY relname`

/**
 * Every row of every catalogue of a database, as text: what pg_dump reads, and more. Of the catalogues that all
 * databases share, only what is about this one.
 */
export async function everyCatalogue(database: TestDatabase): Promise<ReadonlySet<string>> {
  const client = await database.connect()
  try {
    const { rows: catalogues } = await client.query<{ name: string }>(CATALOGUES)
    const lines: string[] = []
    for (const { name } of catalogues) {
      const { rows } = await client.query<{ line: string }>(`
        SELECT (pg_catalog.to_jsonb(c) - ARRAY[${OF_THE_SERVER}])::text AS line FROM pg_catalog.${name} c
        WHERE coalesce((to_jsonb(c) ->> 'dbid')::oid, (to_jsonb(c) ->> 'setdatabase')::oid, 0) IN
          (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
          AND NOT (
            coalesce((to_jsonb(c) ->> 'classid')::oid, 0) = 'pg_catalog.pg_database'::regclass
            AND (to_jsonb(c) ->> 'objid')::oid <> (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
          )`)
      lines.push(...rows.map(({ line }) => `${name} ${line}`))
    }
    return new Set(lines)
  } finally {
    await client.end()
  }
}
