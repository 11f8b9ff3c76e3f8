import { INSTALLATION_LITERAL, SCHEMA, SCHEMA_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/**
 * Whether the queue was made in this database, on this server or one that it is a copy of: a dump holds what the row says of itself,
 * and whoever restores it makes another row, in another table. (A standby, a physical backup, CREATE DATABASE with a template and
 * pg_upgrade leave both as they are, and so the transaction ids that the queue holds.)
 */
export const IS_AT_HOME: Sql = sql`exists (
    select from ${SCHEMA}.installation i where i.relation = i.tableoid and i.xid::xid = i.xmin
  )`

/** The last transaction in each table of the queue, read from the end of its index. */
const LAST_TRANSACTIONS: Sql = sql`
    (select q.xid from ${SCHEMA}.queue_1 q order by q.xid desc limit 1)
    union all
    (select q.xid from ${SCHEMA}.queue_2 q order by q.xid desc limit 1)
    union all
    (select q.xid from ${SCHEMA}.queue_3 q order by q.xid desc limit 1)`

/** Whether the queue came from elsewhere, or holds transactions that there have not been on this server. */
export const IS_FROM_ELSEWHERE: Sql = sql`
select not ${IS_AT_HOME} or exists (
  select from (${LAST_TRANSACTIONS}
  ) l
  where l.xid >= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
) as is
`

/** Lets go of all that readers elsewhere had still to see, and of what they wanted. Needs the install lock. */
export const LET_GO_OF_READERS: Sql = sql`
delete from ${SCHEMA}.consumer where subscription is null;
delete from ${SCHEMA}.tick;
delete from ${SCHEMA}.wanted;
update ${SCHEMA}.consumer
set dropped = coalesce(
  dropped, 'its queue was restored from a dump, and what had been captured before is of another database.'
);
`

/** The functions that capture one table each. */
export const FIND_TABLE_FUNCTIONS: Sql = sql`
select p.proname::text as name
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname = ${SCHEMA_LITERAL} and p.proname like 'capture %' and p.pronargs = 0
`

/** Empties the queue; nobody else uses it. */
export const TRUNCATE_QUEUE: Sql = sql`truncate ${SCHEMA}.queue_1, ${SCHEMA}.queue_2, ${SCHEMA}.queue_3, ${SCHEMA}.unsettled`

/** The same where somebody does. */
export const DELETE_QUEUE: Sql = sql`
delete from ${SCHEMA}.queue_1;
delete from ${SCHEMA}.queue_2;
delete from ${SCHEMA}.queue_3;
delete from ${SCHEMA}.unsettled;
`

/**
 * From now on the queue is at home here, and its changes are others than those elsewhere. No table has its columns as they were
 * recorded there, even where the numbers are the same.
 */
export const BEGIN_HERE: Sql = sql`
update ${SCHEMA}.shape set versions = '{}';
delete from ${SCHEMA}.installation;
insert into ${SCHEMA}.installation (relation) values (${INSTALLATION_LITERAL}::regclass);
`
