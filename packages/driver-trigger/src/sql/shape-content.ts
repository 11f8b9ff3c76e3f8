import { sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** A query for the type underneath a domain, or the type itself. `type` is the column that holds it. */
export function baseType(type: 'a.atttypid' | 'c.type'): Sql {
  return sql`
        with recursive type (oid, base) as (
          select t.oid, t.typbasetype from pg_catalog.pg_type t where t.oid OPERATOR(pg_catalog.=) ${() => type}
          union all
          select t.oid, t.typbasetype from type join pg_catalog.pg_type t on t.oid OPERATOR(pg_catalog.=) type.base
        )
        select type.oid from type where type.base OPERATOR(pg_catalog.=) 0::pg_catalog.oid`
}

/**
 * The columns and the primary key of the table `r` (a row of pg_class) as jsonb. `columns` has one element for each
 * column that the table's row type prints, in the same order; a column's number is that of the column of its name in the
 * table at the top, which a partition may have in another place. Domains are resolved to their base type, as they are in
 * the description of a query's result. A virtual generated column is printed, but never with its value. A deferrable
 * key is none: for a moment several rows may have the same one.
 */
export const SHAPE_CONTENT: Sql = sql`pg_catalog.jsonb_build_object(
    'columns', coalesce((
      select pg_catalog.jsonb_agg(
        pg_catalog.jsonb_build_object(
          'name', a.attname,
          'number', (
            select top.attnum
            from pg_catalog.pg_attribute top
            where top.attrelid OPERATOR(pg_catalog.=) coalesce(pg_catalog.pg_partition_root(r.oid)::pg_catalog.oid, r.oid)
              and top.attname OPERATOR(pg_catalog.=) a.attname
              and top.attnum OPERATOR(pg_catalog.>) 0 and not top.attisdropped
          ),
          'typeOid', base.oid::pg_catalog.int8,
          'typeName', pg_catalog.format_type(a.atttypid, a.atttypmod),
          'virtual', a.attgenerated OPERATOR(pg_catalog.=) 'v'
        ) order by a.attnum
      )
      from pg_catalog.pg_attribute a
      cross join lateral (${baseType('a.atttypid')}) base
      where a.attrelid OPERATOR(pg_catalog.=) r.oid and a.attnum OPERATOR(pg_catalog.>) 0 and not a.attisdropped
    ), '[]'),
    'key', coalesce((
      select pg_catalog.jsonb_agg(a.attname order by k.position)
      from pg_catalog.pg_index i
      cross join lateral pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality k (attnum, position)
      join pg_catalog.pg_attribute a on a.attrelid OPERATOR(pg_catalog.=) i.indrelid and a.attnum OPERATOR(pg_catalog.=) k.attnum
      where i.indrelid OPERATOR(pg_catalog.=) r.oid and i.indisprimary and i.indimmediate
        and k.position OPERATOR(pg_catalog.<=) i.indnkeyatts
    ), '[]')
  )`

/**
 * The versions (xmin) of what a shape is made of: the primary key's row in pg_index (0: there is none), then the
 * columns' rows in pg_attribute. `relation` holds the table's object id. For a session with pg_catalog first.
 */
export function versionsOf(relation: 'r.oid' | 'tg_relid' | 'relation'): Sql {
  return sql`(
        coalesce((select i.xmin from pg_index i where i.indrelid = ${() => relation} and i.indisprimary limit 1), '0')
        || array(select a.xmin from pg_attribute a where a.attrelid = ${() => relation} and a.attnum > 0 order by a.attnum)
      )`
}
