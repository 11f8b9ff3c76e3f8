import { versionsOf } from '../shape-content.ts'
import { READ_UNTIL_LITERAL, SCHEMA, SCHEMA_LITERAL, SLEEP_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/** The largest text of a row that is captured, in bytes. */
const largestText = 128 * 1024 * 1024

/** What runs in the writer's transaction. */
export const CAPTURE_FUNCTION: Sql = sql`
-- Runs as its owner, in the writer's transaction, for every captured row and every captured TRUNCATE. It names what
-- it calls in a pinned search_path, converts rows by their types' own output functions (never by a cast, which the
-- table's owner could define), and prints under settings of its own. It reads catalogues through their indexes: small
-- ones would be read whole for each row.
create function ${SCHEMA}.capture() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set "DateStyle" = 'ISO'
set "IntervalStyle" = 'postgres'
set "TimeZone" = 'UTC'
set bytea_output = 'hex'
set extra_float_digits = 1
set quote_all_identifiers = off
set lc_monetary from current
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
as $rowtap_body$
#variable_conflict use_variable
declare
  top oid := coalesce(pg_partition_root(tg_relid), tg_relid);
  operation "char" := case when tg_op = 'TRUNCATE' and top <> tg_relid then 'P' else "left"(tg_op, 1) end;
  old_place tid;
  new_place tid;
  chosen int;
  old_text text;
  new_text text;
begin
  -- Nobody reads, or has for long.
  if coalesce(pg_sequence_last_value(${READ_UNTIL_LITERAL}::regclass), 0) < extract(epoch from clock_timestamp()) then
    return null;
  end if;

  if tg_op = 'TRUNCATE' then
    new_place := '(0,0)';
  elsif tg_argv[0] <> top::text then
    -- A captured table that was attached to another one has its own trigger beside the clone of the other's.
    return null;
  end if;
  if tg_op in ('UPDATE', 'DELETE') then
    old_place := old.ctid;
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    -- The trigger fires when its statement ends. Has what the statement caused changed this version of the row already?
    if new.xmax <> 0 then
      new_place := new.ctid;
    end if;
  end if;

  -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not. A change without its row says that it
  -- was too large. (A block that writes nothing uses up no subtransaction id.)
  begin
    if tg_op in ('UPDATE', 'DELETE') then
      old_text := textin(record_out(old));
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
      new_text := textin(record_out(new));
    end if;
    if greatest(octet_length(old_text), octet_length(new_text)) > ${() => String(largestText)} then
      old_text := null;
      new_text := null;
    end if;
  exception when others then
    old_text := null;
    new_text := null;
  end;

  if current_setting('transaction_isolation') <> 'read committed' then
    if tg_op = 'DELETE' then
      chosen := ${SCHEMA}.record_shape(tg_relid, top, old);
    elsif tg_op <> 'TRUNCATE' then
      chosen := ${SCHEMA}.record_shape(tg_relid, top, new);
    end if;
  end if;

  if chosen is null then
    insert into ${SCHEMA}.queue (xid, root, shape, operation, file, old_place, new_place, old, new)
    select
      pg_current_xact_id(), top, s.id, operation, pg_relation_filenode(tg_relid), old_place, new_place,
      old_text,
      new_text
    from (
      select s.id
      from ${SCHEMA}.shape s
      where s.relation = tg_relid and s.root = top and s.versions = ${versionsOf('tg_relid')}
      limit 1
    ) s;
    if not found then
      chosen := ${SCHEMA}.unsettled_shape(tg_relid, top);
    end if;
  end if;

  if chosen is not null then
    insert into ${SCHEMA}.queue (xid, root, shape, operation, file, old_place, new_place, old, new)
    values (
      pg_current_xact_id(), top, chosen, operation, pg_relation_filenode(tg_relid), old_place, new_place,
      old_text,
      new_text
    );
  end if;

  -- NOTIFY costs every writer a lock at commit, so it is sent only while a reader sleeps; and it would make a
  -- PREPARE TRANSACTION fail, so it is not sent where there can be one.
  if pg_sequence_last_value(${SLEEP_LITERAL}::regclass) = 2 and current_setting('max_prepared_transactions') = '0' then
    perform pg_notify(${SCHEMA_LITERAL}, '');
  end if;
  return null;
end
$rowtap_body$;
`
