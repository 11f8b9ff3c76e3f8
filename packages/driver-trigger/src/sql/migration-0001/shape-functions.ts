import { baseType, SHAPE_CONTENT } from '../shape-content.ts'
import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/** What records the state of a table's columns, for readers and for writers. */
export const SHAPE_FUNCTIONS: Sql = sql`
create function ${SCHEMA}.shape_content(relation oid) returns jsonb
language sql stable
as $rowtap_body$
  select ${SHAPE_CONTENT} from pg_catalog.pg_class r where r.oid OPERATOR(pg_catalog.=) relation
$rowtap_body$;

-- For readers: records the present state of a table's columns as a settled shape, unless it is recorded already.
create function ${SCHEMA}.settle_shape(relation oid) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
  insert into ${SCHEMA}.shape (relation, root, versions, content)
  select r.oid, coalesce(pg_partition_root(r.oid), r.oid), v.versions, ${SCHEMA}.shape_content(r.oid)
  from pg_class r
  cross join lateral (
    select array(select a.xmin from pg_attribute a where a.attrelid = r.oid and a.attnum > 0 order by a.attnum)
  ) v (versions)
  where r.oid = relation
    and not exists (
      select from ${SCHEMA}.shape s where s.relation = r.oid and s.owner is null and s.versions = v.versions
    )
$rowtap_body$;

-- For writers: the shape of a table whose present state no reader has recorded yet.
create function ${SCHEMA}.unsettled_shape(relation oid) returns int
language plpgsql volatile
as $rowtap_body$
#variable_conflict use_column
declare
  here xid8 := pg_current_xact_id();
  seen_versions xid[];
  seen_places tid[];
  found_id int;
begin
  select array_agg(a.xmin order by a.attnum), array_agg(a.ctid order by a.attnum)
  into seen_versions, seen_places
  from pg_attribute a
  where a.attrelid = unsettled_shape.relation and a.attnum > 0;

  select s.id into found_id
  from ${SCHEMA}.shape s
  where s.relation = unsettled_shape.relation and s.owner = here
    and s.versions = seen_versions and s.places = seen_places
  limit 1;

  if found_id is null then
    insert into ${SCHEMA}.shape (relation, root, owner, versions, places, content)
    values (
      unsettled_shape.relation,
      coalesce(pg_partition_root(unsettled_shape.relation), unsettled_shape.relation),
      here,
      coalesce(seen_versions, '{}'),
      coalesce(seen_places, '{}'),
      ${SCHEMA}.shape_content(unsettled_shape.relation)
    )
    returning id into found_id;
  end if;
  return found_id;
end
$rowtap_body$;

-- For writers in REPEATABLE READ and SERIALIZABLE transactions. Their snapshot may be older than the table's present
-- columns, and shows the old ones in pg_attribute; the row has the present ones. Returns null where the two agree, else
-- a shape that is made from the row itself. (What functions of the server look up by number is always up to date.)
create function ${SCHEMA}.record_shape(relation oid, value record) returns int
language plpgsql volatile
as $rowtap_body$
#variable_conflict use_column
declare
  here xid8 := pg_current_xact_id();
  checked text := coalesce(nullif(current_setting('rowtap.checked', true), ''), '0 ');
  names text[] := '{}';
  types oid[] := '{}';
  name text;
  made jsonb;
  found_id int;
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
    end if;
  end loop;
  if cardinality(names) > 0 then
    execute (
      select format('select array[%s]', string_agg(format('pg_typeof(($1).%I)::oid', n.name), ', ' order by n.position))
      from unnest(names) with ordinality n (name, position)
    ) into types using value;
  end if;

  if (names, types) = (
    select coalesce(array_agg(a.attname::text order by a.attnum), '{}'), coalesce(array_agg(a.atttypid order by a.attnum), '{}')
    from pg_attribute a
    where a.attrelid = record_shape.relation and a.attnum > 0 and not a.attisdropped
  ) then
    -- From here on the table is locked against others, and what this transaction does to it is in its snapshot.
    perform set_config('rowtap.checked', checked || relation::text || ' ', true);
    return null;
  end if;

  made := jsonb_build_object(
    'columns', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'name', c.name, 'typeOid', coalesce(base.oid, c.type)::int8, 'typeName', format_type(c.type, null),
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
  select s.id into found_id
  from ${SCHEMA}.shape s
  where s.relation = record_shape.relation and s.owner = here and s.places is null and s.content = made
  limit 1;
  if found_id is null then
    insert into ${SCHEMA}.shape (relation, root, owner, versions, content)
    values (relation, coalesce(pg_partition_root(relation), relation), here, '{}', made)
    returning id into found_id;
  end if;
  return found_id;
end
$rowtap_body$;
`
