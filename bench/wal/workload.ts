/** What is written for the peers to read. */
export interface Workload {
  readonly name: string
  /** The table that it is about, and nothing else: `public.<table>`. */
  readonly table: 'narrow' | 'wide'
  /** How many rows it changes. */
  readonly rows: number
  /** What is there before. */
  readonly setUp: readonly string[]
  /** The statements that write it. The table `public.marker` gets a row before the first change and one behind the last. */
  readonly write: readonly string[]
}

/** Tells a reader where a workload begins and ends. */
export const MARKER_TABLE = `CREATE TABLE public.marker (id int PRIMARY KEY)`

const START = 'INSERT INTO public.marker VALUES (1)'
const END = 'INSERT INTO public.marker VALUES (2)'

const NARROW = `
CREATE TABLE public.narrow (
  id int PRIMARY KEY,
  customer_id int NOT NULL,
  status text NOT NULL,
  total numeric(12, 2) NOT NULL,
  created_at timestamptz NOT NULL,
  note text
);
ALTER TABLE public.narrow REPLICA IDENTITY FULL`

const narrowRow = (i: string): string =>
  `${i}, ${i} % 10000, 'paid', ${i} % 1000000 / 100.0, timestamptz '2026-01-01' + ${i} * interval '1 second', 'a note of the order ' || ${i}`

const WIDE_COLUMNS = Array.from({ length: 19 }, (_, n) => `c${n + 1}`)
const wideType = (n: number): string => (['int', 'text', 'numeric', 'timestamptz'] as const)[n % 4] ?? 'int'
const wideValue = (n: number, i: string): string =>
  [`${i} % ${1000 + n}`, `'text ' || ${i}`, `${i} / 7.0`, `timestamptz '2026-01-01' + ${i} * interval '1 minute'`][
    n % 4
  ] ?? 'NULL'

const WIDE = `
CREATE TABLE public.wide (id int PRIMARY KEY, ${WIDE_COLUMNS.map((name, n) => `${name} ${wideType(n)}`).join(', ')});
ALTER TABLE public.wide REPLICA IDENTITY FULL`

const wideRow = (i: string): string => [i, ...WIDE_COLUMNS.map((_, n) => wideValue(n, i))].join(', ')

/** All rows in one transaction. */
export function oneTransaction(rows: number): readonly Workload[] {
  const fill = `INSERT INTO public.narrow SELECT ${narrowRow('i')} FROM generate_series(1, ${rows}) AS i`
  const write = (statement: string): readonly string[] => ['BEGIN', START, statement, END, 'COMMIT']
  const name = (what: string): string => `${what}, one transaction`
  return [
    { name: name('insert'), table: 'narrow', rows, setUp: [NARROW], write: write(fill) },
    {
      name: name('update'),
      table: 'narrow',
      rows,
      setUp: [NARROW, fill],
      write: write(`UPDATE public.narrow SET total = total + 1`),
    },
    {
      name: name('delete'),
      table: 'narrow',
      rows,
      setUp: [NARROW, fill],
      write: write(`DELETE FROM public.narrow`),
    },
  ]
}

/** Each row in a transaction of its own. */
export function manyTransactions(rows: number): readonly Workload[] {
  const fill = `INSERT INTO public.narrow SELECT ${narrowRow('i')} FROM generate_series(1, ${rows}) AS i`
  const write = (statement: string): readonly string[] => [
    START,
    `DO $$ BEGIN FOR i IN 1..${rows} LOOP ${statement}; COMMIT; END LOOP; END $$`,
    END,
  ]
  const name = (what: string): string => `${what}, one-row transactions`
  return [
    {
      name: name('insert'),
      table: 'narrow',
      rows,
      setUp: [NARROW],
      write: write(`INSERT INTO public.narrow VALUES (${narrowRow('i')})`),
    },
    {
      name: name('update'),
      table: 'narrow',
      rows,
      setUp: [NARROW, fill],
      write: write(`UPDATE public.narrow SET total = total + 1 WHERE id = i`),
    },
    {
      name: name('delete'),
      table: 'narrow',
      rows,
      setUp: [NARROW, fill],
      write: write(`DELETE FROM public.narrow WHERE id = i`),
    },
  ]
}

/** All rows, of twenty columns, in one transaction. */
export function wideTransaction(rows: number): Workload {
  const fill = `INSERT INTO public.wide SELECT ${wideRow('i')} FROM generate_series(1, ${rows}) AS i`
  return {
    name: 'insert of twenty columns, one transaction',
    table: 'wide',
    rows,
    setUp: [WIDE],
    write: ['BEGIN', START, fill, END, 'COMMIT'],
  }
}
