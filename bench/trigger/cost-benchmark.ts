import type { Operation } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TriggerDriverOptions } from '@rowtap/driver-trigger'
import { triggerDriver } from '@rowtap/driver-trigger'
import type { BenchDatabase } from '../wal/bench-database.ts'
import { createDatabase } from '../wal/bench-database.ts'
import { postgresPrograms } from '../wal/postgres-programs.ts'
import type { PrivateServer } from '../wal/private-server.ts'
import { startPrivateServer } from '../wal/private-server.ts'
import { surroundingsLine } from '../wal/report.ts'
import type { TriggerReport } from './print.ts'
import { report, save } from './print.ts'
import { processCpuSeconds } from './process-cpu.ts'

/** How much is measured. */
interface CostExtent {
  /** How many statements of one row are measured at a time. */
  readonly statements: number
  /** How many rows a statement of many has. */
  readonly rows: number
  /** How often each is measured: the least counts. */
  readonly times: number
  /** How many rows there are to be updated and deleted. */
  readonly rowsAtFirst: number
}

type Writing = 'insert' | 'update' | 'delete' | 'many'

/** What somebody listens for; `null`: nobody listens. */
interface Way {
  readonly name: string
  readonly driver: Pick<TriggerDriverOptions, 'enableAlways' | 'pushdown'>
  readonly listen: (writing: Writing) => Readonly<Record<string, unknown>>
}

const FILLER = Array.from({ length: 17 }, (_, index) => `c${index}`)

/** Rows of 20 columns, about 2 kB each. */
const wide = (rows: number): string => `
CREATE TABLE public.wide (id bigint PRIMARY KEY, n int NOT NULL, note text NOT NULL,
  ${FILLER.map((name) => `${name} text NOT NULL DEFAULT repeat('${name} ', 30)`).join(', ')});
INSERT INTO public.wide SELECT i, 0, 'note' FROM generate_series(1, ${rows}) i`

/** Rows of six columns, about 80 bytes each. */
const narrow = (rows: number): string => `
CREATE TABLE public.narrow (id bigint PRIMARY KEY, n int NOT NULL, note text NOT NULL,
  status text NOT NULL DEFAULT 'paid', total numeric(12, 2) NOT NULL DEFAULT 12.5, at timestamptz NOT NULL DEFAULT now());
INSERT INTO public.narrow SELECT i, 0, 'a note of some length' FROM generate_series(1, ${rows}) i`

const ALL = (): Readonly<Record<string, unknown>> => ({})
const PUSHDOWN = { pushdown: 'conditions' } as const
const otherOperation = (writing: Writing): readonly Operation[] => (writing === 'delete' ? ['insert'] : ['delete'])

const NARROW_WAYS: readonly Way[] = [
  { name: 'captured', driver: {}, listen: ALL },
  { name: 'by row triggers', driver: { enableAlways: true }, listen: ALL },
  { name: 'without rows', driver: {}, listen: () => ({ rows: false }) },
]
const WIDE_WAYS: readonly Way[] = [
  { name: 'all is captured', driver: {}, listen: ALL },
  { name: 'one column', driver: PUSHDOWN, listen: () => ({ columns: ['id'] }) },
  {
    name: 'one column, no row',
    driver: PUSHDOWN,
    listen: () => ({ columns: ['id'], where: { id: { lt: 0 } } }),
  },
  {
    name: 'another operation',
    driver: PUSHDOWN,
    listen: (writing) => ({ operations: otherOperation(writing) }),
  },
]

const FULL: CostExtent = { statements: 300, rows: 20_000, times: 25, rowsAtFirst: 100_000 }
const BRIEF: CostExtent = { statements: 20, rows: 100, times: 1, rowsAtFirst: 2000 }

/**
 * What a statement takes of a server's processor time besides itself, by what somebody listens for. The brief one is there to
 * see that it works.
 */
export async function costBenchmark(brief: boolean): Promise<void> {
  const extent = brief ? BRIEF : FULL
  await using server = await startPrivateServer(await postgresPrograms(), {})
  const result: TriggerReport = { surroundings: surroundingsLine(server.version), tables: [] }
  console.log(result.surroundings)
  const { rowsAtFirst: rows } = extent
  const narrowRows = { table: 'narrow', setup: narrow(rows), ways: NARROW_WAYS, about: 'six columns and 80 bytes' }
  await costOf(result, server, narrowRows, extent)
  await costOf(
    result,
    server,
    { table: 'wide', setup: wide(rows), ways: WIDE_WAYS, about: '20 columns and 2 kB' },
    extent,
  )
  await save(result)
}

interface CostTable {
  readonly table: string
  readonly setup: string
  readonly ways: readonly Way[]
  readonly about: string
}

async function costOf(
  result: TriggerReport,
  server: PrivateServer,
  { table, setup, ways, about }: CostTable,
  extent: CostExtent,
): Promise<void> {
  const writings: readonly (readonly [Writing, string])[] = [
    ['insert', 'INSERT of a row'],
    ['update', 'UPDATE of a row'],
    ['delete', 'DELETE of a row'],
    ['many', `INSERT of ${extent.rows.toLocaleString('en')} rows, each`],
  ]
  const rows: string[][] = []
  for (const [writing, name] of writings) {
    await using database = await createDatabase(server)
    await database.query(setup)
    await database.query(`VACUUM ANALYZE public.${table}`)
    const writer = await startWriting(database, table, extent)
    const alone = await writer(writing)
    const cells = [name, alone.toFixed(1)]
    for (const { driver, listen } of ways) {
      await using client = await connect(triggerDriver({ connection: database.url, ...driver }))
      const listener = client.listen({ table: `public.${table}`, ...listen(writing) })
      listener.on('change', () => {})
      await listener.ready
      cells.push(Math.max(0, (await writer(writing)) - alone).toFixed(1))
    }
    rows.push(cells)
  }
  report(
    result,
    `µs of a server's processor time for rows of ${about}: of a statement by itself, and what capturing adds`,
    ['', 'by itself', ...ways.map(({ name }) => name)],
    rows,
  )
}

/** Writes with one connection. The function that it returns says how many microseconds a statement, or a row, took at least. */
async function startWriting(
  database: BenchDatabase,
  table: string,
  { statements, rows, times, rowsAtFirst }: CostExtent,
): Promise<(writing: Writing) => Promise<number>> {
  const [backend] = await database.query(`
    SELECT pg_backend_pid() AS pid, set_config('synchronous_commit', 'off', false), set_config('application_name', 'writer', false)`)
  const pid = Number(backend?.['pid'])
  await database.query(`
    PREPARE one_insert (bigint) AS INSERT INTO public.${table} VALUES ($1, 0, 'a note of some length');
    PREPARE one_update (bigint) AS UPDATE public.${table} SET n = n + 1 WHERE id = $1;
    PREPARE one_delete (bigint) AS DELETE FROM public.${table} WHERE id = $1`)
  let next = rowsAtFirst + 1
  let old = 1
  const one = async (writing: Writing, count: number): Promise<void> => {
    if (writing === 'many') {
      await database.query(
        `INSERT INTO public.${table} SELECT i, 0, 'a note of some length' FROM generate_series($1::bigint, $2::bigint) i`,
        [next, next + count - 1],
      )
      next += count
      return
    }
    const first = writing === 'insert' ? next : old
    // Each is a transaction of its own. Sent together, none of them waits for this program.
    const ids = Array.from({ length: count }, (_, index) => first + index)
    await database.query(ids.map((id) => `BEGIN; EXECUTE one_${writing}(${id}); COMMIT;`).join(''))
    if (writing === 'insert') next += count
    else old += count
  }
  return async (writing) => {
    const count = writing === 'many' ? rows : statements
    let least = Number.POSITIVE_INFINITY
    // What is planned and cached is not measured.
    await one(writing, Math.min(count, 200))
    for (let time = 0; time < times; time += 1) {
      const before = await processCpuSeconds(pid)
      await one(writing, count)
      least = Math.min(least, ((await processCpuSeconds(pid)) - before) / count)
    }
    return least * 1e6
  }
}
