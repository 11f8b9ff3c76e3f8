import { baseType, SHAPE_CONTENT, versionsOf } from '../shape-content.ts'
import { SCHEMA, SCHEMA_NAME_LITERAL, SHAPE_ID_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { CATALOG_SETTINGS } from './capture-settings.ts'

/** What records the state of a table's columns, for readers and for writers. */
export const SHAPE_FUNCTIONS: Sql = sql`
create function ${SCHEMA}.shape_content(relation oid) returns jsonb
language sql stable
as $rowtap_body$
  select ${SHAPE_CONTENT} from pg_catalog.pg_class r where r.oid OPERATOR(pg_catalog.=) relation
$rowtap_body$;

-- Records the present state of a table's columns as a settled shape, unless it is recorded already.
create function ${SCHEMA}.settle_shape(relation oid) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
  insert into ${SCHEMA}.shape (relation, root, versions, content, settings)
  select r.oid, v.root, v.versions, ${SCHEMA}.shape_content(r.oid), ${SCHEMA}.printed_under(r.oid)
  from pg_class r
  cross join lateral (select coalesce(pg_partition_root(r.oid), r.oid), ${versionsOf('r.oid')}) v (root, versions)
  where r.oid = relation
    and not exists (
      select from ${SCHEMA}.shape s where s.relation = r.oid and s.root = v.root and s.versions = v.versions
    )
$rowtap_body$;

-- For writers: records a state of a table's columns for this transaction. It remembers the last one in a setting, and
-- does not look it up: what SERIALIZABLE transactions both read and write makes them fail.
create function ${SCHEMA}.own_shape(relation oid, top oid, state text, content jsonb) returns int
language plpgsql volatile
as $rowtap_body$
declare
  setting text := format('rowtap.shape_%s_%s', ${SCHEMA_NAME_LITERAL}::regnamespace::oid, relation);
  wanted text := concat_ws(' ', pg_current_xact_id(), top, state);
  known text := coalesce(current_setting(setting, true), '');
  made_id int;
begin
  if substr(known, strpos(known, ' ') + 1) = wanted then
    return split_part(known, ' ', 1)::int;
  end if;
  made_id := nextval(${SHAPE_ID_LITERAL}::regclass);
  insert into ${SCHEMA}.unsettled (id, relation, root, content)
  values (made_id, own_shape.relation, top, coalesce(own_shape.content, ${SCHEMA}.shape_content(own_shape.relation)));
  perform set_config(setting, concat_ws(' ', made_id, wanted), true);
  return made_id;
end
$rowtap_body$;

-- For writers: the shape of a table whose present state no reader has recorded yet. Where all versions were committed before
-- this transaction had its number, it is recorded as a reader does it: then one transaction has that cost, and not each. (No
-- later state can have the same versions. One that is its own can be followed by another one with the same, and one that is
-- committed meanwhile looks the same.) What SERIALIZABLE transactions both read and write makes them fail.
create function ${SCHEMA}.unsettled_shape(relation oid, top oid) returns int
language plpgsql volatile${CATALOG_SETTINGS}
as $rowtap_body$
#variable_conflict use_variable
declare
  made int;
begin
  -- That age() counts from the number of this transaction, it needs one.
  perform pg_current_xact_id();
  if current_setting('transaction_isolation') = 'read committed' and not exists (
    select from unnest(${versionsOf('relation')}) v (version) where age(v.version) <= 0
  ) then
    perform ${SCHEMA}.settle_shape(relation);
    select s.id into made
    from ${SCHEMA}.shape s
    where s.relation = relation and s.root = top and s.versions = ${versionsOf('relation')}
    limit 1;
    if made is not null then
      return made;
    end if;
  end if;
  return ${SCHEMA}.own_shape(
    relation,
    top,
    concat_ws(
      ' ',
      (select concat(i.xmin, i.ctid) from pg_index i where i.indrelid = relation and i.indisprimary limit 1),
      (
        select string_agg(concat(a.xmin, a.ctid), '' order by a.attnum)
        from pg_attribute a
        where a.attrelid = relation and a.attnum > 0
      )
    ),
    null
  );
end
$rowtap_body$;

-- For writers: the settled shape of a table, or null. (The oldest: another one that is recorded meanwhile is the same.)
create function ${SCHEMA}.settled_shape(relation oid) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp${CATALOG_SETTINGS}
as $rowtap_body$
#variable_conflict use_variable
begin
  return (
    select s.id
    from ${SCHEMA}.shape s
    where s.relation = relation and s.root = relation and s.versions = ${versionsOf('relation')}
    order by s.id
    limit 1
  );
end
$rowtap_body$;

-- The same, but none that this transaction has recorded itself: a plan outlives it, also where it is rolled back.
create function ${SCHEMA}.committed_shape(relation oid) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
#variable_conflict use_variable
begin
  return (
    select s.id
    from ${SCHEMA}.shape s
    where s.id = ${SCHEMA}.settled_shape(relation) and age(s.xmin) > 0
  );
end
$rowtap_body$;

-- The same, for the table that the setting rowtap.relation holds, and for use in a query that reads from that table, or
-- from its transition table. It is called immutable, so that it is called when the query is planned and no more: PostgreSQL
-- plans a query anew after every change of a table in it. Null where the table has become a partition: then another trigger
-- captures its rows. Only for what is planned in READ COMMITTED transactions: others may see an older state of the table.
create function ${SCHEMA}.planned_shape() returns int
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $rowtap_body$
declare
  relation oid := current_setting('rowtap.relation');
begin
  if pg_partition_root(relation) is not null then
    return null;
  end if;
  return ${SCHEMA}.committed_shape(relation);
end
$rowtap_body$;

-- For writers in REPEATABLE READ and SERIALIZABLE transactions. Their snapshot may be older than the table's present
-- columns, and shows the old ones in pg_attribute; the row has the present ones. Returns null where the two agree in
-- names, numbers, types and collations, else a shape that is made from the present ones. (What the server looks up by
-- number, and what a statement means, is always up to date.)
create function ${SCHEMA}.record_shape(relation oid, top oid) returns int
language plpgsql volatile${CATALOG_SETTINGS}
as $rowtap_body$
#variable_conflict use_column
declare
  here xid8 := pg_current_xact_id();
  checked text := coalesce(nullif(current_setting('rowtap.checked', true), ''), '0 ');
  names text[] := '{}';
  numbers int2[] := '{}';
  top_names text[] := '{}';
  types oid[] := '{}';
  collations text[] := '{}';
  name text;
  made jsonb;
begin
  if split_part(checked, ' ', 1) <> here::text then
    checked := here::text || ' ';
  end if;
  if position(' ' || relation::text || ' ' in checked) > 0 then
    return null;
  end if;

  for attnum in 1 .. 1600 loop
    name := (pg_identify_object_as_address('pg_class'::regclass, relation, attnum)).object_names[3];
    exit when name is null;
    if name <> '........pg.dropped.' || attnum || '........' then
      names := names || name;
      numbers := numbers || attnum::int2;
    end if;
  end loop;
  if cardinality(names) > 0 then
    begin
      execute (
        select format('select array[%s]', string_agg(
          format('pg_typeof((null::%s).%I)::oid', record_shape.relation::regclass, n.name), ', ' order by n.position
        ))
        from unnest(names) with ordinality n (name, position)
      ) into types;
      execute (
        select format('select array[%s]::text[]', string_agg(
          case when t.typcollation <> 0
            then format('pg_collation_for((null::%s).%I)', record_shape.relation::regclass, n.name)
            else 'null'
          end,
          ', ' order by n.position
        ))
        from unnest(names, types) with ordinality n (name, type, position)
        left join pg_type t on t.oid = n.type
      ) into collations;
    exception when insufficient_privilege then
      -- The table's schema was closed to this function's owner, and the writer must not fail.
      return null;
    end;
  end if;

  if (names, numbers, types, collations) = (
    select
      coalesce(array_agg(a.attname::text order by a.attnum), '{}'),
      coalesce(array_agg(a.attnum order by a.attnum), '{}'),
      coalesce(array_agg(a.atttypid order by a.attnum), '{}'),
      coalesce(array_agg(nullif(a.attcollation, 0)::regcollation::text order by a.attnum), '{}')
    from pg_attribute a
    where a.attrelid = record_shape.relation and a.attnum > 0 and not a.attisdropped
  ) then
    -- From here on the table is locked against others, and what this transaction does to it is in its snapshot.
    perform set_config('rowtap.checked', checked || relation::text || ' ', true);
    return null;
  end if;

  for attnum in 1 .. 1600 loop
    name := (pg_identify_object_as_address('pg_class'::regclass, top, attnum)).object_names[3];
    exit when name is null;
    top_names := top_names || name;
  end loop;
  made := jsonb_build_object(
    'columns', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'name', c.name, 'number', array_position(top_names, c.name), 'typeOid', coalesce(base.oid, c.type)::int8, 'typeName', format_type(c.type, null),
          'virtual', false
        ) order by c.position
      )
      from unnest(names, types) with ordinality c (name, type, position)
      left join lateral (${baseType('c.type')}) base on true
    ), '[]'),
    'key', coalesce((
      select jsonb_agg(
        (pg_identify_object_as_address('pg_class'::regclass, i.indrelid, k.attnum)).object_names[3] order by k.position
      )
      from pg_index i
      cross join lateral unnest(i.indkey::int2[]) with ordinality k (attnum, position)
      where i.indrelid = record_shape.relation and i.indisprimary and i.indimmediate and k.position <= i.indnkeyatts
    ), '[]')
  );
  return ${SCHEMA}.own_shape(relation, top, made::text, made);
end
$rowtap_body$;
`
