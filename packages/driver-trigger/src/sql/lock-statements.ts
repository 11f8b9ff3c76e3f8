import type { TableName } from '@rowtap/core/driver'
import { quoteTableName } from '@rowtap/core/driver'
import { quoteLiteral, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Keeps writers from a table, or everybody. */
export type TableLock = 'share row exclusive' | 'access exclusive'

/** How often, and how many seconds apart, locks that others hold are tried before all that are held are let go of. */
const PROBES = 20
const PAUSE_SECONDS = 0.002

/** Whether the role may lock the table $1 in every mode. (For a CREATE TRIGGER alone it need not.) */
export const MAY_LOCK: Sql = sql`select pg_catalog.has_table_privilege($1::oid, 'UPDATE, DELETE, TRUNCATE') as may`

/** How long whoever may not lock a table waits for a lock on it, while it holds others: no time, as PostgreSQL counts. */
export const NO_LOCK_TIMEOUT: Sql = sql`set local lock_timeout = '1ms'`

/** Waits for the lock on a table, without its partitions. */
export function lockAlone(table: TableName, lock: TableLock): string {
  return `lock table only ${quoteTableName(table)} in ${lock} mode`
}

/**
 * Waits for the greatest lock on a table, without its partitions, as its owner may who may not lock it. It asks for no lesser
 * lock first, and "never has an effect". https://www.postgresql.org/docs/current/sql-altertable.html
 */
export function lockAsOwner(table: TableName): string {
  return `alter table only ${quoteTableName(table)} set without oids`
}

/** Takes the locks on a table and all its partitions, without waiting in any queue. */
export function lockWithPartitions(table: TableName, lock: TableLock): string {
  const statement = `lock table ${quoteTableName(table)} in ${lock} mode nowait`
  return block(`
    begin
      execute ${quoteLiteral(statement)};
      return;
    exception when lock_not_available then
      if probe = ${PROBES} then
        raise;
      end if;
    end;`)
}

/** Waits for a moment until nobody else has, or waits for, a lock on the tables, or a partition of them, that a lock would have to wait for. */
export function untilUnused(oids: readonly string[], lock: TableLock): string {
  const modes = lock === 'access exclusive' ? '' : `and l.mode not in ('AccessShareLock', 'RowShareLock')`
  const tables = oids.map((oid) => `${quoteLiteral(oid)}::pg_catalog.oid`).join(', ')
  return block(`
    if not exists (
      select from pg_catalog.pg_locks l
      where l.locktype = 'relation' and l.pid is distinct from pg_catalog.pg_backend_pid() ${modes}
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
        and l.relation in (
          select t.oid from pg_catalog.unnest(array[${tables}]) t (oid)
          union select p.relid from pg_catalog.unnest(array[${tables}]) t (oid), pg_catalog.pg_partition_tree(t.oid) p
        )
    ) then
      return;
    elsif probe = ${PROBES} then
      raise lock_not_available using message = 'others use the table or a partition of it';
    end if;`)
}

function block(body: string): string {
  return `do $rowtap_body$
begin
  for probe in 1 .. ${PROBES} loop${body}
    perform pg_catalog.pg_sleep(${PAUSE_SECONDS});
  end loop;
end
$rowtap_body$`
}
