/**
 * The columns of the table with the object id `$1`, in its order, one row each: `name` and, as one JSON text,
 * `definition`: every type that its type is made of ({@link columnTypes} reads it). On PostgreSQL 14 to 18.
 *
 * Catalogue columns that only some versions have are read by way of `to_jsonb`.
 */
export const COLUMN_TYPES_SQL = `
WITH RECURSIVE
attributes AS (
  SELECT attribute.attnum, attribute.attname, attribute.atttypid, attribute.attcollation
  FROM pg_catalog.pg_attribute AS attribute
  WHERE attribute.attrelid = $1::pg_catalog.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
),
reached (attnum, type, collation_id) AS (
  SELECT attnum, atttypid, attcollation FROM attributes
  UNION
  SELECT
    reached.attnum,
    part.type,
    CASE WHEN range.rngtypid IS NOT NULL THEN range.rngcollation ELSE reached.collation_id END
  FROM reached
  JOIN pg_catalog.pg_type AS type ON type.oid = reached.type
  LEFT JOIN pg_catalog.pg_type AS element ON element.oid = type.typelem AND element.typarray = type.oid
  LEFT JOIN pg_catalog.pg_range AS range ON range.rngtypid = type.oid AND type.typtype = 'r'
  LEFT JOIN pg_catalog.pg_range AS multirange ON multirange.rngmultitypid = type.oid AND type.typtype = 'm'
  CROSS JOIN LATERAL (
    SELECT coalesce(
      nullif(type.typbasetype, 0::pg_catalog.oid), element.oid, range.rngsubtype, multirange.rngtypid
    ) AS type
  ) AS part
  WHERE part.type IS NOT NULL
),
this_database AS (
  SELECT
    pg_catalog.pg_encoding_to_char(database.encoding) AS encoding,
    coalesce(pg_catalog.to_jsonb(database) ->> 'datlocprovider', 'c') AS provider,
    database.datcollate::pg_catalog.text AS collate,
    database.datctype::pg_catalog.text AS ctype,
    pg_catalog.to_jsonb(database) ->> 'datlocale' AS locale
  FROM pg_catalog.pg_database AS database
  WHERE database.datname = pg_catalog.current_database()
),
collations AS (
  SELECT
    found.oid,
    found.collname AS name,
    this_database.encoding,
    found.collisdeterministic AS deterministic,
    CASE found.collprovider WHEN 'd' THEN this_database.provider ELSE found.collprovider::pg_catalog.text END AS provider,
    CASE found.collprovider WHEN 'd' THEN this_database.collate ELSE found.collcollate::pg_catalog.text END AS collate,
    CASE found.collprovider WHEN 'd' THEN this_database.ctype ELSE found.collctype::pg_catalog.text END AS ctype,
    CASE found.collprovider
      WHEN 'd' THEN this_database.locale
      ELSE pg_catalog.to_jsonb(found) ->> 'colllocale'
    END AS locale
  FROM pg_catalog.pg_collation AS found
  CROSS JOIN this_database
)
SELECT
  attributes.attname AS name,
  pg_catalog.json_build_object(
    'type', attributes.atttypid::pg_catalog.text,
    'types', (
      SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
        'oid', type.oid::pg_catalog.text,
        'castName', '"' || pg_catalog.replace(schema.nspname, '"', '""') || '"."' || pg_catalog.replace(type.typname, '"', '""') || '"',
        'displayName', pg_catalog.format_type(type.oid, NULL),
        'name', CASE
          WHEN schema.nspname = 'pg_catalog' OR extension.extname = 'citext' THEN type.typname::pg_catalog.text
          ELSE schema.nspname || '.' || type.typname
        END,
        'kind', CASE
          WHEN element.oid IS NOT NULL THEN 'array'
          WHEN type.typtype = 'd' THEN 'domain'
          WHEN type.typtype = 'e' THEN 'enum'
          WHEN type.typtype = 'r' THEN 'range'
          WHEN type.typtype = 'm' THEN 'multirange'
          WHEN type.typtype = 'c' OR type.oid = 'pg_catalog.record'::pg_catalog.regtype THEN 'composite'
          ELSE 'base'
        END,
        'part', coalesce(
          nullif(type.typbasetype, 0::pg_catalog.oid), element.oid, range.rngsubtype, multirange.rngtypid
        )::pg_catalog.text,
        'defaultOrder', coalesce(operators.opcdefault, true),
        'labels', (
          SELECT pg_catalog.json_agg(label.enumlabel ORDER BY label.enumsortorder)
          FROM pg_catalog.pg_enum AS label
          WHERE label.enumtypid = type.oid
        ),
        'labelIds', (
          -- A label that is given another name keeps its object id, and its row gets another xmin.
          SELECT pg_catalog.json_agg(
            label.oid::pg_catalog.text || '/' || label.xmin::pg_catalog.text ORDER BY label.enumsortorder
          )
          FROM pg_catalog.pg_enum AS label
          WHERE label.enumtypid = type.oid
        ),
        'collation', CASE WHEN collations.oid IS NOT NULL THEN pg_catalog.json_build_object(
          'name', collations.name,
          'order', CASE
            WHEN collations.encoding <> 'UTF8' THEN 'encoding'
            WHEN NOT collations.deterministic THEN 'nondeterministic'
            WHEN collations.provider = 'b' THEN 'code point'
            WHEN collations.provider = 'c' AND collations.collate IN ('C', 'POSIX') THEN 'code point'
            ELSE 'locale'
          END,
          'asciiCase', coalesce(
            (collations.provider = 'c' AND collations.ctype IN ('C', 'POSIX'))
              OR (collations.provider = 'b' AND collations.locale = 'C'),
            false
          )
        ) END
      ))
      FROM reached
      JOIN pg_catalog.pg_type AS type ON type.oid = reached.type
      JOIN pg_catalog.pg_namespace AS schema ON schema.oid = type.typnamespace
      LEFT JOIN pg_catalog.pg_type AS element ON element.oid = type.typelem AND element.typarray = type.oid
      LEFT JOIN pg_catalog.pg_range AS range ON range.rngtypid = type.oid AND type.typtype = 'r'
      LEFT JOIN pg_catalog.pg_range AS multirange ON multirange.rngmultitypid = type.oid AND type.typtype = 'm'
      LEFT JOIN pg_catalog.pg_opclass AS operators ON operators.oid = range.rngsubopc
      LEFT JOIN pg_catalog.pg_depend AS membership
        ON membership.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND membership.objid = type.oid
        AND membership.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND membership.deptype = 'e'
      LEFT JOIN pg_catalog.pg_extension AS extension ON extension.oid = membership.refobjid
      -- citext folds case as the database does by default, whatever the column's collation, and of jsonb the database's
      -- encoding has to be known.
      LEFT JOIN collations ON collations.oid = CASE
        WHEN type.oid = 'pg_catalog.jsonb'::pg_catalog.regtype OR extension.extname = 'citext' THEN 'pg_catalog."default"'::pg_catalog.regcollation::pg_catalog.oid
        WHEN type.typcollation = 0 THEN 0::pg_catalog.oid
        ELSE reached.collation_id
      END
      WHERE reached.attnum = attributes.attnum
    )
  )::pg_catalog.text AS definition
FROM attributes
ORDER BY attributes.attnum`

/** The rows of {@link COLUMN_TYPES_SQL} as one: a JSON array of them (NULL: the table has no columns, or is gone). */
export const COLUMN_TYPES_ROW_SQL: string = `
SELECT pg_catalog.json_agg(column_types)::pg_catalog.text FROM (${COLUMN_TYPES_SQL}
) AS column_types`

/**
 * One row. `labels`: a text that is another one as soon as a label of the enumerations with the object ids `$1` (an array,
 * as text) is added, renamed (and be it renamed back) or put elsewhere. `complete`: `true` where each of the transactions
 * `$2` (an array of xid, as text) can be seen: a transaction is in the write-ahead log for a moment before that.
 */
export const ENUM_LABELS_SQL: string = `
SELECT
  (
    SELECT pg_catalog.json_agg(
      pg_catalog.json_build_array(label.oid::pg_catalog.int8, label.xmin::pg_catalog.text, label.enumlabel)
      ORDER BY label.enumtypid, label.enumsortorder
    )::pg_catalog.text
    FROM pg_catalog.pg_enum AS label
    WHERE label.enumtypid = ANY ($1::pg_catalog.oid[])
  ) AS labels,
  (
    SELECT coalesce(pg_catalog.bool_and(pg_catalog.pg_visible_in_snapshot(
      -- Of all that end in these 32 bits, the one that is nearest to the snapshot's end.
      (ends.at - pg_catalog.mod(ends.at - made.xid::pg_catalog.text::pg_catalog.numeric + 2147483648, 4294967296) + 2147483648)::pg_catalog.text::pg_catalog.xid8,
      ends.snapshot
    )), true)::pg_catalog.text
    FROM (
      SELECT now.snapshot, pg_catalog.pg_snapshot_xmax(now.snapshot)::pg_catalog.text::pg_catalog.numeric AS at
      FROM pg_catalog.pg_current_snapshot() AS now (snapshot)
    ) AS ends
    CROSS JOIN pg_catalog.unnest($2::pg_catalog.xid[]) AS made (xid)
  ) AS complete`
