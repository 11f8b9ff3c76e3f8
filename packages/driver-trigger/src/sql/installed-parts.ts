import { SCHEMA_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** One of the things that a queue is made of, and whether it is there. */
export interface InstalledPart {
  readonly kind: 'function' | 'table' | 'view' | 'sequence'
  readonly name: string
  readonly isThere: boolean
}

/** Everything that a queue is made of when the latest migration was applied. */
export const FIND_INSTALLED_PARTS: Sql = sql`
select part.kind, part.name, exists (
  select from pg_catalog.pg_namespace n
  where n.nspname = ${SCHEMA_LITERAL} and (
    part.kind = 'function'
      and exists (select from pg_catalog.pg_proc p where p.pronamespace = n.oid and p.proname = part.name)
    or part.kind <> 'function'
      and exists (select from pg_catalog.pg_class r where r.relnamespace = n.oid and r.relname = part.name)
  )
) as "isThere"
from (
  values
    ('function', 'capture'),
    ('function', 'capture_statement'),
    ('function', 'captured_top'),
    ('function', 'committed_shape'),
    ('function', 'enqueue'),
    ('function', 'extend_reading'),
    ('function', 'instruct'),
    ('function', 'monetary_locale'),
    ('function', 'own_shape'),
    ('function', 'planned_settings'),
    ('function', 'planned_shape'),
    ('function', 'print_settings'),
    ('function', 'printed_under'),
    ('function', 'record_shape'),
    ('function', 'restore_settings'),
    ('function', 'settle_shape'),
    ('function', 'settled_shape'),
    ('function', 'shape_content'),
    ('function', 'signal'),
    ('function', 'unsettled_shape'),
    ('sequence', 'queue_seq'),
    ('sequence', 'shape_id'),
    ('sequence', 'sleep_until'),
    ('sequence', 'state'),
    ('table', 'consumer'),
    ('table', 'installation'),
    ('table', 'migration'),
    ('table', 'queue_1'),
    ('table', 'queue_2'),
    ('table', 'queue_3'),
    ('table', 'shape'),
    ('table', 'tick'),
    ('table', 'unsettled'),
    ('table', 'wanted'),
    ('view', 'queue')
) as part (kind, name)
order by part.kind, part.name
`
