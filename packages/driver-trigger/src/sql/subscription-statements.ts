import { SCHEMA_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** The number that stands for one connection ($2: which) of a subscription ($1: its name): the key of its advisory lock. */
const KEY: Sql = sql`pg_catalog.hashtextextended(
  'rowtap subscription ' || pg_catalog.quote_ident(${SCHEMA_LITERAL}) || ' ' || $1::text || ' ' || $2::text, 0
)`

const HOLDERS: Sql = sql`
from pg_catalog.pg_locks l
where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.pid <> pg_catalog.pg_backend_pid()
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  and (l.classid::int8 << 32) | l.objid::int8 = ${KEY}`

/** Takes the lock of one connection ($2) of a subscription ($1) for as long as the session lives, if nobody has it. */
export const TRY_LOCK_SUBSCRIPTION: Sql = sql`select pg_catalog.pg_try_advisory_lock(${KEY}) as got`

/** The processes that have the lock of one connection ($2) of a subscription ($1). */
export const SUBSCRIPTION_HOLDERS: Sql = sql`select l.pid ${HOLDERS}`

/**
 * Ends the processes that have the lock of one connection ($2) of a subscription ($1) where their client has given no sign of
 * life for $3 milliseconds: it has sent nothing, and read nothing of what was sent to it. (Those that the role may not see, or
 * not end, are left.)
 */
export const END_SILENT_HOLDERS: Sql = sql`
select a.pid, pg_catalog.pg_terminate_backend(a.pid) as ended
from pg_catalog.pg_stat_activity a
where a.pid in (${SUBSCRIPTION_HOLDERS})
  and (a.state like 'idle%' or a.state = 'active' and a.wait_event_type = 'Client')
  and a.state_change < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $3::float8 / 1000)
  and (
    pg_catalog.pg_has_role(a.usesysid, 'USAGE') and not exists (
      select from pg_catalog.pg_roles r where r.oid = a.usesysid and r.rolsuper and not (
        select s.rolsuper from pg_catalog.pg_roles s where s.rolname = current_user
      )
    )
    or pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
  )
`
