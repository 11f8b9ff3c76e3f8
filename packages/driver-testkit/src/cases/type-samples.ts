/** Some types that belong together, with values that are easy to get wrong. */
export interface TypeFamily {
  readonly name: string
  /** A statement that PostgreSQL refuses as not supported where it was built without what the types need. */
  readonly needsLibrary?: string
  /** Statements that create what the types need, run before the table is made. */
  readonly prepare?: string
  /**
   * SQL expressions by type. None has a backslash in a plain literal: the writer reads them under
   * `standard_conforming_strings = off`.
   */
  readonly samples: Readonly<Record<string, readonly string[]>>
}

const text = (...values: readonly string[]): readonly string[] => values.map((value) => `'${value}'`)

const numbers: TypeFamily = {
  name: 'booleans and numbers',
  samples: {
    bool: ['true', 'false'],
    int2: ['-32768', '32767'],
    int4: ['(-2147483648)', '2147483647'],
    int8: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
    numeric: text(
      'NaN',
      'Infinity',
      '-Infinity',
      '0',
      '0.00',
      '-123456789012345678901234567890.123456789012345678901234567890',
      '1e-20',
      '1e40',
    ),
    'numeric(10,2)': ['0', '1.005', '-99999999.99'],
    float4: text('0', '-0', 'NaN', 'Infinity', '-Infinity', '1.1', '3.4028235e38', '1e-45', '16777217'),
    float8: text(
      '0',
      '-0',
      'NaN',
      'Infinity',
      '-Infinity',
      '0.30000000000000004',
      '1.7976931348623157e308',
      '5e-324',
      '123456789.12345679',
    ),
    oid: text('0', '4294967295'),
    money: text('0', '-12345.67'),
    xid8: text('18446744073709551615'),
    pg_lsn: text('0/0', 'FFFFFFFF/FFFFFFFF'),
  },
}

/** Text that is something else to a careless parser: of arrays, of rows, of COPY, of JSON, of CSV. */
const AWKWARD = [
  `''`,
  `' '`,
  `'NULL'`,
  `'null'`,
  `E'\\\\N'`,
  `E'\\\\'`,
  `'"'`,
  `''''`,
  `'a,b'`,
  `'(a,"b")'`,
  `'{a,NULL}'`,
  `E'\\t\\n\\r\\b\\f\\x01'`,
  `E'line\\nline'`,
  `E'back\\\\slash \\\\x41 \\\\u0041'`,
  `'Ünïcödé'`,
  `'日本語'`,
  `'👩‍👩‍👧 𝒳'`,
  `'$1 $$ %s :name'`,
  `' lead and trail '`,
] as const

const strings: TypeFamily = {
  name: 'texts',
  samples: {
    text: AWKWARD,
    varchar: AWKWARD,
    'varchar(10)': [`''`, `'ten bytes!'`],
    'char(5)': [`''`, `'ab'`, `'12345'`, `'"'`],
    name: [`''`, `'a"b'`, `'${'n'.repeat(63)}'`],
    '"char"': [`''`, `'a'`, `'"'`],
    bpchar: [`'no limit  '`],
  },
}

const binary: TypeFamily = {
  name: 'byte strings and bits',
  samples: {
    bytea: [
      `''`,
      `decode('00ff5c27220a', 'hex')`,
      `'plain text'`,
      `decode('5c78', 'hex')`,
      `decode('${'deadbeef'.repeat(64)}', 'hex')`,
    ],
    'bit(3)': [`B'101'`],
    'bit varying': [`B''`, `B'1'`, `B'0010101'`],
  },
}

const times: TypeFamily = {
  name: 'dates, times and intervals',
  samples: {
    date: text('2024-02-29', 'infinity', '-infinity', '0044-03-15 BC', '9999-12-31', '0001-01-01'),
    timestamp: text(
      '2024-02-29 12:34:56.123456',
      '2024-02-29 12:34:56.9999999',
      'infinity',
      '-infinity',
      '0044-03-15 01:02:03 BC',
      '1970-01-01',
      '9999-12-31 23:59:59.999',
    ),
    timestamptz: text(
      '2024-02-29 12:34:56.123456+05:45',
      '2024-03-31 02:30:00+01',
      'infinity',
      '-infinity',
      '0044-03-15 01:02:03+00 BC',
      '1900-01-01 00:00:00+00',
    ),
    'timestamp(0)': text('2024-02-29 12:34:56'),
    time: text('24:00:00', '00:00:00', '00:00:00.000001', '23:59:59.999999'),
    timetz: text('24:00:00+05:45', '12:34:56.789-08', '00:00:00+15:59:59'),
    interval: text(
      '0',
      '1 year 2 mons 3 days 04:05:06.789',
      '-1 day +02:03:04',
      '1 mon -1 day',
      '-0.000001 seconds',
      '178000000 years',
    ),
  },
}

const documents: TypeFamily = {
  name: 'documents and identifiers',
  samples: {
    uuid: text('00000000-0000-0000-0000-000000000000', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
    json: [
      `'null'`,
      `'{"a": 1,  "b": [1, 2.50, "x"], "a": 2}'`,
      `'"text"'`,
      `'12345678901234567890'`,
      `'[]'`,
      `E'"\\\\u00e9 \\\\" \\\\\\\\"'`,
    ],
    jsonb: [
      `'null'`,
      `'{"b": [1, 2.50, null], "a": {"deep": "日本"}}'`,
      `'true'`,
      `'0.10'`,
      `'{"__proto__": 1}'`,
      `E'"\\\\n"'`,
    ],
    jsonpath: text('$.a[*] ? (@ > 1)'),
    tsvector: text('a fat cat', ''),
    tsquery: text('fat & (rat | cat)'),
  },
}

const arrays: TypeFamily = {
  name: 'arrays',
  samples: {
    'int4[]': [`'{}'`, 'ARRAY[1,NULL,3]', 'ARRAY[[1,2],[3,4]]', `'[2:3]={7,8}'`, `'[0:1][-1:0]={{1,2},{3,4}}'`],
    'int8[]': ['ARRAY[9223372036854775807,NULL]'],
    'text[]': [
      `'{}'`,
      `ARRAY[NULL,'NULL','','{}','a,b','"q"',E'back\\\\slash',E'new\\nline',' ','日本']`,
      `ARRAY[['a','b'],['c',NULL]]`,
      `'[5:5]={five}'`,
    ],
    'varchar(5)[]': [`ARRAY['a','b']`],
    'bool[]': ['ARRAY[true,false,NULL]'],
    'numeric[]': [`ARRAY['NaN','1.10','-123456789012345678901234567890']::numeric[]`],
    'float8[]': [`ARRAY['NaN','-0','0.30000000000000004','Infinity']::float8[]`],
    'bytea[]': [`ARRAY[decode('00ff5c', 'hex'), ''::bytea]`],
    'timestamptz[]': [`ARRAY['2024-02-29 12:34:56.123456+05:45','infinity']::timestamptz[]`],
    'date[]': [`ARRAY['2024-02-29','0044-03-15 BC',NULL]::date[]`],
    'interval[]': [`ARRAY['1 year 2 mons','-1 day']::interval[]`],
    'json[]': [`ARRAY['{"a": [1]}','null']::json[]`],
    'jsonb[]': [`ARRAY['{"a": "x,y"}','null']::jsonb[]`],
    'uuid[]': [`ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::uuid[]`],
    'inet[]': [`ARRAY['10.0.0.1/8']::inet[]`],
    'point[]': [`ARRAY['(1,2)']::point[]`],
  },
}

const userTypes: TypeFamily = {
  name: 'enums, domains and composite types',
  prepare: `
    CREATE SCHEMA "Odd Types";
    CREATE TYPE public.mood AS ENUM ('sad', 'so, so', 'hap"py', '');
    CREATE TYPE "Odd Types"."Mood" AS ENUM ('a');
    CREATE DOMAIN public.whole AS int CHECK (VALUE > -1000);
    CREATE DOMAIN public.wholer AS public.whole;
    CREATE DOMAIN public.label AS text;
    CREATE DOMAIN public.moment AS timestamptz;
    CREATE DOMAIN public.document AS jsonb;
    CREATE DOMAIN public.numbers AS int[];
    CREATE TYPE public.pair AS (a int, b text, c timestamptz, d bytea, e float8);`,
  samples: {
    'public.mood': text('sad', 'so, so', 'hap"py', ''),
    '"Odd Types"."Mood"': text('a'),
    'public.mood[]': [`ARRAY['sad','so, so',NULL]::public.mood[]`],
    'public.whole': ['-7'],
    'public.wholer': ['7'],
    'public.label': [`'a "label"'`],
    'public.moment': text('2024-02-29 12:34:56.123456+05:45'),
    'public.document': [`'{"a": null}'`],
    'public.numbers': ['ARRAY[1,NULL]'],
    'public.whole[]': ['ARRAY[1,2]'],
    'public.pair': [
      `ROW(1, 'a,"b" (c)', '2024-02-29 12:34:56+05:45', decode('00ff', 'hex'), 0.30000000000000004)`,
      'ROW(NULL, NULL, NULL, NULL, NULL)',
      `ROW(1, '', NULL, NULL, '-0'::float8)`,
    ],
    'public.pair[]': [`ARRAY[ROW(1, 'x', NULL, NULL, 1)]::public.pair[]`],
  },
}

const ranges: TypeFamily = {
  name: 'ranges and multiranges',
  prepare: `CREATE TYPE public.text_range AS RANGE (subtype = text)`,
  samples: {
    int4range: text('empty', '[1,5)', '(,)', '[7,)', '(,7]'),
    numrange: text('[1.50,2.50]', '(,0)'),
    daterange: text('[2024-02-28,2024-02-29]', '(,infinity)'),
    tsrange: text('[2024-02-29 12:34:56.123456,2024-03-01)'),
    tstzrange: text('[2024-02-29 12:34:56+05:45,2024-03-01 00:00:00+00)', '(,)'),
    int4multirange: text('{}', '{[1,3),[5,7)}'),
    tstzmultirange: text('{[2024-02-29 12:00:00+00,2024-03-01 00:00:00+00)}'),
    'public.text_range': [`'["a, b","c"]'`, `public.text_range('"', NULL)`],
    'int4range[]': [`ARRAY['[1,2)','empty']::int4range[]`],
  },
}

const places: TypeFamily = {
  name: 'network addresses, points and shapes',
  samples: {
    inet: text('10.0.0.1', '10.0.0.1/8', '::1', 'fe80::1/64'),
    cidr: text('10.0.0.0/8', '::/0'),
    macaddr: text('08:00:2b:01:02:03'),
    macaddr8: text('08:00:2b:01:02:03:04:05'),
    point: text('(1.5,-2)', '(NaN,Infinity)', '(0.1,0.30000000000000004)'),
    line: text('{1,2,3}'),
    lseg: text('[(0,0),(1,1)]'),
    box: text('(1,1),(0,0)'),
    path: text('((0,0),(1,1))', '[(0,0),(1,1)]'),
    polygon: text('((0,0),(1,1),(1,0))'),
    circle: text('<(1,2),3>'),
  },
}

const names: TypeFamily = {
  name: 'names of objects',
  prepare: 'CREATE TYPE public.text_range AS RANGE (subtype = text); CREATE SEQUENCE public.counter',
  samples: {
    regclass: text('pg_class', 'public.counter', '-'),
    regtype: text('int4', 'public.text_range', 'public.text_range[]'),
    regproc: text('pg_catalog.now', '-'),
    regprocedure: text('pg_catalog.lower(text)', 'public.text_range(text,text)'),
    regoper: text('pg_catalog.|/'),
    regoperator: text('pg_catalog.-(integer,integer)', 'pg_catalog.-(none,integer)'),
    regconfig: text('pg_catalog.english'),
    regdictionary: text('pg_catalog.simple'),
    regcollation: text('pg_catalog."C"'),
    'regclass[]': text('{pg_class,public.counter,NULL}', '[0:1]={-,pg_class}'),
    'regtype[]': text('{{public.text_range},{text}}'),
    'regprocedure[]': text('{"public.text_range(text,text)"}'),
  },
}

const xml: TypeFamily = {
  name: 'XML documents',
  needsLibrary: `SELECT '<a/>'::xml`,
  samples: { xml: text('<a>text &amp; more</a>', 'content only', '<?xml version="1.0"?><a b="c"/>') },
}

/** The families, each a case of its own. */
export const TYPE_FAMILIES: readonly TypeFamily[] = [
  numbers,
  strings,
  binary,
  times,
  documents,
  arrays,
  userTypes,
  ranges,
  places,
  names,
  xml,
]
