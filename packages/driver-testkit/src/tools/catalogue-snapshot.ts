import type { TestDatabase } from '../postgres/test-database.ts'

/** Every object of the database that is not PostgreSQL's own, a line each. */
const CATALOGUE = `
  WITH own AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg\\_temp%' AND nspname NOT LIKE 'pg\\_toast\\_temp%'
  )
  SELECT nspname AS home, 'schema ' || nspname AS object FROM own
  UNION ALL SELECT nspname, 'relation ' || nspname || '.' || relname || ' ' || relkind::text || ' replica identity ' || relreplident::text
    FROM pg_class JOIN own ON own.oid = relnamespace
  UNION ALL SELECT nspname, 'column ' || nspname || '.' || relname || '.' || attname
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN own ON own.oid = relnamespace WHERE attnum > 0
  UNION ALL SELECT nspname, 'function ' || nspname || '.' || proname || '(' || pg_get_function_identity_arguments(pg_proc.oid) || ')'
    FROM pg_proc JOIN own ON own.oid = pronamespace
  UNION ALL SELECT nspname, 'type ' || nspname || '.' || typname FROM pg_type JOIN own ON own.oid = typnamespace
  UNION ALL SELECT nspname, 'trigger ' || tgname || ' on ' || nspname || '.' || relname || ' ' || tgenabled::text
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN own ON own.oid = relnamespace
  UNION ALL SELECT nspname, 'rule ' || rulename || ' on ' || nspname || '.' || relname
    FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class JOIN own ON own.oid = relnamespace
  UNION ALL SELECT '', 'publication ' || pubname FROM pg_publication
  UNION ALL SELECT '', 'published table ' || pubname || ' ' || schemaname || '.' || tablename FROM pg_publication_tables
  UNION ALL SELECT '', 'event trigger ' || evtname FROM pg_event_trigger
  UNION ALL SELECT '', 'extension ' || extname FROM pg_extension
  UNION ALL SELECT '', 'replication slot ' || slot_name FROM pg_replication_slots WHERE database = current_database()
  ORDER BY 2`

/** How a snapshot is taken. */
export interface CatalogueSnapshotOptions {
  /** A schema whose inside is left out. */
  readonly exceptSchema?: string
}

/** What is in the database: tables with their replica identity, triggers, functions, publications, slots. */
export async function catalogueSnapshot(
  database: TestDatabase,
  options: CatalogueSnapshotOptions = {},
): Promise<readonly string[]> {
  const rows = await database.query(CATALOGUE)
  return rows.filter((row) => row['home'] !== options.exceptSchema).map((row) => String(row['object']))
}
