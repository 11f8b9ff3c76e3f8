import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { CAPTURE_SETTINGS } from './capture-settings.ts'
import { CAPTURE_STATEMENT_BODY } from './capture-statement-body.ts'
import { insertIntoQueue, READ_STATE } from './enqueue.ts'

/** Writes a block into the queue. */
const ENQUEUE_FUNCTION: Sql = sql`
create function ${SCHEMA}.enqueue(
  root oid, shape int, operation "char", rows int, first int, level int, inserted bigint, updated bigint, deleted bigint,
  old text, new text
) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
#variable_conflict use_variable
declare
  state bigint := ${READ_STATE};
begin
  ${insertIntoQueue(
    sql`root, shape, operation, rows, first, level, inserted, updated, deleted, old, new`,
    sql`root, shape, operation, rows, first, level, inserted, updated, deleted, nullif(old, ''), nullif(new, '')`,
  )}
end
$rowtap_body$;
`

/** What runs in the writer's transaction at the end of a statement. */
export const CAPTURE_STATEMENT_FUNCTION: Sql = sql`${ENQUEUE_FUNCTION}
-- Captures the rows of a statement, by its transition tables.
create function ${SCHEMA}.capture_statement() returns trigger${CAPTURE_SETTINGS}
as $rowtap_body$${CAPTURE_STATEMENT_BODY}$rowtap_body$;
`
