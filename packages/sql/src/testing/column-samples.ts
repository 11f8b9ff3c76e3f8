import type { ConditionColumn } from '@rowtap/core/conditions'

/** A column of the table that conditions are tried on, with values of its rows and constants to compare them with. */
export interface ColumnSample {
  readonly name: string
  readonly sql: string
  readonly column: ConditionColumn
  readonly values: readonly string[]
  /** Constants as SQL text that PostgreSQL compares with the column. */
  readonly constants: readonly string[]
  /** Arrays as SQL text, of which the same holds. */
  readonly arrays: readonly string[]
}

const NUMBERS = [
  '0',
  '- 5',
  '-(7)',
  '2',
  '0x10',
  '16_777_217',
  '16777216',
  '3000000000',
  '9223372036854775807',
  '0.1',
  '-1.50',
  '1e3',
  '.5',
  '5::bigint',
  `'7'::smallint`,
  '-2147483648',
  '+2',
  `cast('0.1' as float8)`,
  '2::numeric',
  'null',
]
const NUMBER_ARRAYS = [
  'array[0, 2]',
  'array[0.1, 2]',
  'array[-5, null, 3000000000]',
  `array['2', '16777217']::int[]`,
  'array[2, 16777217]::float8[]',
  'array[]::numeric[]',
]
const TEXTS = [`'a'`, `'A'`, `'a%b'`, `''`, `'a '`, `E'it\\'s'`, `'\\'`, `U&'\\00e9'`, `$$a$$`, 'null']

/** One column of each kind that conditions treat in a way of its own. */
export const COLUMN_SAMPLES: readonly ColumnSample[] = [
  sample('i4', 'int4', ['0', '2', '-5', '7', '16777217', '-2147483648'], [...NUMBERS, `'2'`], NUMBER_ARRAYS),
  sample('i8', 'int8', ['0', '3000000000', '-5', '9223372036854775807'], [...NUMBERS, `'2'`], NUMBER_ARRAYS),
  sample('n', 'numeric', ['0', '0.10', '-1.5', '1000', 'NaN'], [...NUMBERS, `'0.1'`], NUMBER_ARRAYS),
  sample('f8', 'float8', ['0', '0.1', '-1.5', '16777217', 'NaN', '-0'], [...NUMBERS, `'0.1'`], NUMBER_ARRAYS),
  sample('f4', 'float4', ['0', '0.1', '-1.5', '16777216', 'NaN'], [...NUMBERS, `'0.1'`], NUMBER_ARRAYS),
  sample('t', 'text', ['a', 'A', 'axb', '', "it's", '\\', 'é', 'a '], [...TEXTS, `'a'::text`], [`array['a', 'é']`]),
  sample('v', 'varchar', ['a', 'A', 'axb', '', 'a '], [...TEXTS, `'a'::text`], [`array['a', null]::varchar[]`]),
  sample('c', 'bpchar', ['a', 'A', 'axb', ''], [...TEXTS, `'a'::bpchar`], [`array['a', 'A ']::bpchar[]`]),
  sample(
    'd',
    'date',
    ['2024-01-01', '2024-02-29', 'infinity'],
    [`'2024-01-01'`, `date '2024-02-29'`, 'null'],
    [`array['2024-01-01']::date[]`],
  ),
  sample(
    'u',
    'uuid',
    ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    [`'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid`],
    [`array['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::uuid[]`],
  ),
  sample('b', 'bool', ['t', 'f'], ['true', 'false', `'t'`, 'null'], []),
]

/** The columns as the parser is told of them. */
export const SAMPLE_COLUMNS: readonly ConditionColumn[] = COLUMN_SAMPLES.map(({ column }) => column)

function sample(
  name: string,
  type: string,
  values: readonly string[],
  constants: readonly string[],
  arrays: readonly string[],
): ColumnSample {
  const column: ConditionColumn = {
    name,
    type: { kind: 'base', name: type, castName: `"pg_catalog"."${type}"`, displayName: type, collation: null },
  }
  return { name, sql: type, column, values, constants, arrays }
}
