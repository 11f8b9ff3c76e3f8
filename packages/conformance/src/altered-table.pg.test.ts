import type { Client, Driver, ListenOptions, RowtapError } from '@rowtap/core'
import { connect } from '@rowtap/core'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from '@rowtap/driver-trigger'
import { walDriver } from '@rowtap/driver-wal'
import assert from 'node:assert/strict'
import { test } from 'vitest'

const DRIVERS: Readonly<Record<string, (url: string) => Driver>> = {
  trigger: (connection) => triggerDriver({ connection }),
  wal: (connection) => walDriver({ connection }),
}

const SETUP = `
  CREATE TYPE public.level AS ENUM ('low', 'high');
  CREATE TABLE public.t (id int PRIMARY KEY, v level, list level[], n int, m int);
  ALTER TABLE public.t REPLICA IDENTITY FULL`

const THERE_AND_BACK = `
  BEGIN;
  ALTER TYPE public.level RENAME VALUE 'high' TO 'x';
  INSERT INTO public.t VALUES (1, 'x', '{x}', 1, 1);
  ALTER TYPE public.level RENAME VALUE 'x' TO 'high';
  COMMIT`

const SWAP = `
  ALTER TYPE public.level RENAME VALUE 'high' TO 'x';
  ALTER TYPE public.level RENAME VALUE 'low' TO 'high';
  ALTER TYPE public.level RENAME VALUE 'x' TO 'low';`

const SWAPPED_TWICE = `BEGIN; ${SWAP} INSERT INTO public.t VALUES (1, 'low', '{low}', 1, 1); ${SWAP} COMMIT`

const OTHER_COLUMN = `
  BEGIN;
  ALTER TABLE public.t RENAME n TO o;
  ALTER TABLE public.t RENAME m TO n;
  INSERT INTO public.t VALUES (1, 'low', '{low}', 1, 2);
  COMMIT`

const COLUMN_MADE_ANEW = `
  BEGIN;
  ALTER TABLE public.t DROP m;
  ALTER TABLE public.t ADD m int;
  INSERT INTO public.t VALUES (1, 'low', '{low}', 1, 2);
  COMMIT`

const TYPE_MADE_ANEW = `
  BEGIN;
  INSERT INTO public.t VALUES (1, 'low', '{low}', 1, 1);
  ALTER TABLE public.t DROP list;
  ALTER TABLE public.t ALTER v TYPE text;
  DROP TYPE public.level;
  CREATE TYPE public.level AS ENUM ('high', 'low');
  ALTER TABLE public.t ALTER v TYPE public.level USING v::public.level;
  COMMIT`

type Wish = Omit<ListenOptions, 'table'>
type Alteration = readonly [name: string, wish: Wish, statements: string, told: RegExp]

const LABELS_TOLD = /'where' names its column "(?:v|list)": the labels of its type public\.level were given other names/
const TYPE_TOLD = /its type (?:public\.level is another one of that name|is now a type that was dropped)\./
const COLUMN_TOLD = /its column "[nm]": another column has that name now/

const ALTERATIONS: readonly Alteration[] = [
  ['a type that is made anew', { where: { v: { neq: 'high' } } }, TYPE_MADE_ANEW, TYPE_TOLD],
  ...(
    [
      ['is', { v: 'high' }],
      ['is not', { v: { neq: 'high' } }],
      ['is one of', { v: { in: ['high', 'low'] } }],
      ['is after', { v: { gte: 'high' } }],
      ['is in a list that is', { list: ['high'] }],
    ] as const
  ).flatMap(([name, where]): Alteration[] => [
    [`a label that is renamed there and back: it ${name}`, { where }, THERE_AND_BACK, LABELS_TOLD],
    [`labels that are swapped twice: it ${name}`, { where }, SWAPPED_TWICE, LABELS_TOLD],
  ]),
  ...(
    [
      ['where', { where: { n: 2, m: { neq: 9 } } }],
      ['columns', { columns: ['id', 'n', 'm'] }],
      ['key', { key: ['n', 'm'] }],
    ] as const
  ).flatMap(([name, wish]): Alteration[] => [
    [
      `a column that takes another’s name: in '${name}'`,
      { ...wish, operations: ['insert'] },
      OTHER_COLUMN,
      COLUMN_TOLD,
    ],
    [`a column that is made anew: in '${name}'`, { ...wish, operations: ['insert'] }, COLUMN_MADE_ANEW, COLUMN_TOLD],
  ]),
]

/** A listener with these wishes, what it hears of, and how its client ends. */
async function listening(client: Client, wish: Wish): Promise<{ ids: number[]; errors: RowtapError[] }> {
  const errors: RowtapError[] = []
  client.on('error', (error) => errors.push(error))
  const listener = client.listen({ table: 'public.t', ...wish })
  const ids: number[] = []
  listener.on('change', ({ new: row }) => void ids.push(Number(row?.['id'])))
  await listener.ready
  return { ids, errors }
}

describePostgres('what is altered while a listener names it, within the transaction that writes rows', (postgres) => {
  for (const [name, driver] of Object.entries(DRIVERS)) {
    test.each(ALTERATIONS)(`ends the client of driver ${name}: %s`, async (_name, wish, statements, told) => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using client = await connect(driver(database.url))
      const { ids, errors } = await listening(client, wish)
      await database.query(statements)
      await eventually(() => errors.length > 0 || ids.length > 0, 'an error')
      assert.match(errors[0]?.message ?? `no error, but ${ids.join()}`, told)
      assert.deepEqual([errors[0]?.code, ids], ['ERR_SETUP_REQUIRED', []])
    })

    test(`does not end the client of driver ${name} where no listener names it, nor by columns that come and go`, async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using client = await connect(driver(database.url))
      const { ids, errors } = await listening(client, { where: { n: { lt: 10 } }, columns: ['id', 'n'] })
      await database.query(THERE_AND_BACK)
      await database.query(COLUMN_MADE_ANEW.replace('VALUES (1', 'VALUES (2'))
      await database.query('ALTER TABLE public.t RENAME v TO w; ALTER TABLE public.t RENAME list TO v')
      await database.query(`INSERT INTO public.t (id, n) VALUES (3, 3)`)
      await database.query('ALTER TABLE public.t DROP v; INSERT INTO public.t (id, n) VALUES (4, 4)')
      await eventually(() => errors.length > 0 || ids.length === 4, 'the rows')
      assert.deepEqual([errors, ids], [[], [1, 2, 3, 4]])
    })
  }
})
