import { scalarSamples } from './scalar-samples.ts'
import { structuredSamples } from './structured-samples.ts'

/** A column type with values worth comparing: boundaries, and equal values that are written in different ways. */
export interface TypeSample {
  /** As in CREATE TABLE. */
  readonly sql: string
  /** In the type's input syntax. */
  readonly values: readonly string[]
  /** Numbers that are written without quotes beside such a column. */
  readonly numbers?: readonly string[]
  /** The first version that has the type, or these values of it. */
  readonly since?: number
}

/** What the samples need in the database. */
export const SAMPLE_SETUP = `
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE TYPE "Odd mood" AS ENUM ('sad', 'ok', 'happy', 'Zed', 'a b', '');
ALTER TYPE "Odd mood" ADD VALUE 'meh' BEFORE 'ok';
CREATE DOMAIN posint AS int4 CHECK (VALUE > 0);
CREATE DOMAIN amount AS numeric(12, 3);
CREATE DOMAIN small_amount AS amount CHECK (VALUE < 1000000000);
CREATE DOMAIN code AS varchar(5);
CREATE DOMAIN tags AS text[];
CREATE TYPE pair AS (a int4, b text);
CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE TYPE intervalrange AS RANGE (subtype = interval, multirange_type_name = intervalmultirange);
`

/** The samples for a version. */
export function typeSamples(version: number): readonly TypeSample[] {
  return [...scalarSamples, ...structuredSamples].filter((sample) => (sample.since ?? 0) <= version)
}
