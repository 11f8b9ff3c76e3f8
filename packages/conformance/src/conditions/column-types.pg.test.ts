import { describePostgres } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { canonicalConnection, typesOf } from './drawn-table.ts'
import type { Collation } from '../../../core/src/conditions/column-type.ts'

describePostgres('the types of a table’s columns', (postgres) => {
  test('are known to the bottom: domains, arrays, ranges, labels in their order', async () => {
    await using database = await postgres.createDatabase()
    const connection = await canonicalConnection(database)
    await connection.query(`
      CREATE SCHEMA "Odd ""schema";
      CREATE TYPE "Odd ""schema"."Mood" AS ENUM ('b', 'a');
      ALTER TYPE "Odd ""schema"."Mood" ADD VALUE 'c' BEFORE 'a';
      CREATE DOMAIN one AS "Odd ""schema"."Mood"[];
      CREATE DOMAIN two AS one;
      CREATE TYPE backwards AS RANGE (subtype = text, subtype_opclass = text_pattern_ops, collation = "C");
      CREATE TYPE pair AS (a int);
      CREATE TABLE odd (dropped int, a two[], r backwards, m int4multirange, p pair, i int4[] NOT NULL);
      ALTER TABLE odd DROP COLUMN dropped`)

    const columns = await typesOf(connection, 'odd')
    assert.deepEqual(
      columns.map((column) => column.name),
      ['a', 'r', 'm', 'p', 'i'],
    )
    const [a, r, m, p, i] = columns.map((column) => column.type)
    const labels = await database.query(
      `SELECT oid::text || '/' || xmin::text AS id FROM pg_enum ORDER BY enumsortorder`,
    )
    const labelIds = labels.map(({ id }) => id)
    assert.deepEqual(a, {
      kind: 'array',
      castName: '"public"."_two"',
      displayName: 'two[]',
      element: {
        kind: 'array',
        castName: `"Odd ""schema"."_Mood"`,
        displayName: `"Odd ""schema"."Mood"[]`,
        element: {
          kind: 'enum',
          castName: `"Odd ""schema"."Mood"`,
          displayName: `"Odd ""schema"."Mood"`,
          labels: ['b', 'c', 'a'],
          labelIds,
        },
      },
    })
    assert.ok(r?.kind === 'range' && !r.defaultOrder && r.subtype.kind === 'base')
    assert.equal(r.subtype.name, 'text')
    assert.ok(m?.kind === 'multirange' && m.range.kind === 'range' && m.range.subtype.kind === 'base')
    assert.equal(m.range.subtype.name, 'int4')
    assert.equal(p?.kind, 'composite')
    assert.ok(i?.kind === 'array' && i.element.kind === 'base')
    assert.equal(i.castName, '"pg_catalog"."_int4"')
  })

  test('a type that only bears the name of a built-in one is not taken for it', async () => {
    await using database = await postgres.createDatabase()
    const connection = await canonicalConnection(database)
    await connection.query(`
      CREATE DOMAIN public.citext AS text;
      CREATE TYPE public.numeric;
      CREATE FUNCTION n_in(cstring) RETURNS public.numeric AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
      CREATE FUNCTION n_out(public.numeric) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
      CREATE TYPE public.numeric (INPUT = n_in, OUTPUT = n_out, LIKE = text);
      CREATE TABLE odd (n public.numeric, c public.citext)`)
    const [n, c] = await typesOf(connection, 'odd')
    assert.ok(n?.type.kind === 'base' && c?.type.kind === 'base')
    assert.equal(n.type.name, 'public.numeric')
    assert.equal(c.type.name, 'text')
  })

  test('collations say whether texts are compared by code points', async () => {
    await using database = await postgres.createDatabase()
    const connection = await canonicalConnection(database)
    await connection.query(`
      CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE DOMAIN coded AS text COLLATE "C";
      CREATE TYPE coded_range AS RANGE (subtype = text, collation = "C");
      CREATE TABLE odd (
        c text COLLATE "C", posix text COLLATE "POSIX", ucs text COLLATE ucs_basic, german text COLLATE "de-x-icu",
        caseless text COLLATE caseless, n name, coded coded, other coded COLLATE "de-x-icu", list text[] COLLATE caseless,
        coded_range coded_range, i int
      )`)
    const columns = await typesOf(connection, 'odd')
    const found = Object.fromEntries(
      columns.map(({ name, type }) => {
        const base = type.kind === 'array' ? type.element : type.kind === 'range' ? type.subtype : type
        return [name, base.kind === 'base' ? orderAndCase(base.collation) : null]
      }),
    )
    assert.deepEqual(found, {
      c: 'code point, ASCII',
      posix: 'code point, ASCII',
      // Since 17 it is built in, where only its order is that of code points.
      ucs: 'code point, ASCII',
      german: 'locale',
      caseless: 'nondeterministic',
      n: 'code point, ASCII',
      coded: 'code point, ASCII',
      other: 'locale',
      list: 'nondeterministic',
      coded_range: 'code point, ASCII',
      i: null,
    })
  })
})

function orderAndCase(collation: Collation | null): string | null {
  return collation === null ? null : `${collation.order}${collation.asciiCase ? ', ASCII' : ''}`
}
