import type { Client, ListenOptions } from '@rowtap/core'
import { connect, plan, subscribeTo } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually, seededRandom } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

const FILTERS = `
  SELECT pg_get_expr(member.prqual, member.prrelid) AS filter FROM pg_publication_rel AS member
  JOIN pg_publication AS p ON p.oid = member.prpubid WHERE p.pubname ~ '^rowtap_e_'`

interface Inserted {
  readonly id: number
  readonly a: number | null
  readonly b: string
}

type Where = NonNullable<ListenOptions['where']>

/** Conditions, and what they mean. */
const CONDITIONS: readonly (readonly [Where | null, (row: Inserted) => boolean])[] = [
  [null, () => true],
  [{ a: 1 }, ({ a }) => a === 1],
  [{ a: null }, ({ a }) => a === null],
  [{ a: { gte: 3 }, b: 'x' }, ({ a, b }) => a !== null && a >= 3 && b === 'x'],
  [{ not: { b: { in: ['x', "it's"] } } }, ({ b }) => !['x', "it's"].includes(b)],
  [{ b: { like: 'i%' } }, ({ b }) => b.startsWith('i')],
]

describePostgres('rows that are left out in the server', (postgres) => {
  test('are those that no listener wants, and no others, whoever comes and goes and whatever is altered', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text COLLATE "C", c int)')
    await using client = await connect(walDriver({ connection: database.url, pushdown: 'inserts' }))
    const random = seededRandom(7)
    const inserted: Inserted[] = []
    const writer = new Writer(database, inserted)
    const writing = writer.run()
    const rounds = Array.from({ length: 3 }, async (_, lane) => {
      for (let round = 0; round < 6; round += 1) {
        const [where, isIn] = CONDITIONS[random.integer(CONDITIONS.length)] ?? [null, () => true]
        await listenFor(client, inserted, { where, isIn, everything: lane === 0 && round === 5 })
      }
    })
    await Promise.all(rounds)
    writer.stop()
    await writing
    expect(inserted.length).toBeGreaterThan(50)
  }, 120_000)

  test('are in the plan, and make PostgreSQL refuse to drop their columns until nobody wants them', async () => {
    const isAble = postgres.version >= 15
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text)')
    const driver = walDriver({ connection: database.url, pushdown: 'inserts' })
    const options = { table: 't', operations: ['insert'], where: { a: 1 } } as const
    const planned = await plan(driver, [options])
    const added = planned.statements.filter(({ sql }) => sql.includes('ADD TABLE')).map(({ sql }) => sql)
    expect(added).toEqual([
      expect.stringMatching(isAble ? /ADD TABLE ONLY "public"."t" WHERE \(\(\("a" = '1'\)\)\)$/u : /"t"$/u),
    ])
    const partOf = (what: string): unknown => planned.listeners[0]?.parts.find((part) => part.what === what)?.where
    expect(partOf('condition')).toBe(isAble ? 'database' : 'process')
    await using client = await connect(driver)
    const first = client.listen(options)
    await first.ready
    const filters = async (): Promise<unknown> =>
      isAble ? (await database.query(FILTERS)).map(({ filter }) => filter) : []
    expect(await filters()).toEqual(isAble ? ['(a = 1)'] : [])
    if (isAble) {
      await expect(database.query('ALTER TABLE t DROP COLUMN a')).rejects.toMatchObject({ code: '2BP01' })
      await expect(database.query('ALTER TABLE t ALTER a TYPE bigint')).rejects.toMatchObject({ code: '0A000' })
    }
    const second = client.listen({ ...options, where: { b: 'x' } })
    await second.ready
    expect(await filters()).toEqual(isAble ? [`((a = 1) OR (b = 'x'::text))`] : [])
    await first.stop()
    expect(await filters()).toEqual(isAble ? [`(b = 'x'::text)`] : [])
    await database.query('ALTER TABLE t DROP COLUMN a')
    const third = client.listen({ table: 't' })
    await third.ready
    expect(await filters()).toEqual(isAble ? [null] : [])
    await database.query(`INSERT INTO t VALUES (1, 'x'); UPDATE t SET b = 'y'; DELETE FROM t`)
  })

  test('are not received', async ({ skip }) => {
    if (postgres.version < 15) skip()
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text)')
    const received = async (pushdown: 'off' | 'inserts'): Promise<{ changes: number; bytes: number }> => {
      await using client = await connect(walDriver({ connection: database.url, pushdown }))
      const sum = { changes: 0, bytes: 0 }
      const end = subscribeTo('rowtap:receive', (message) => {
        if (message.client !== client) return
        sum.changes += message.changes
        sum.bytes += message.bytes
      })
      const listener = client.listen({ table: 't', operations: ['insert'], where: { a: 1 } })
      let events = 0
      listener.on('insert', () => void (events += 1))
      await listener.ready
      await database.query(`INSERT INTO t SELECT i, i % 100, repeat('x', 200) FROM generate_series(1, 20000) i`)
      await eventually(() => events === 200, 'what is wanted')
      await database.query('TRUNCATE t')
      end()
      return sum
    }
    const off = await received('off')
    const on = await received('inserts')
    expect(on.changes).toBeLessThan(off.changes / 50)
    expect(on.bytes).toBeLessThan(off.bytes / 50)
  })
})

/** Listens for a while. All rows that were inserted meanwhile and are in the condition have to come, and no others. */
async function listenFor(
  client: Client,
  inserted: readonly Inserted[],
  {
    where,
    isIn,
    everything,
  }: {
    readonly where: Where | null
    readonly isIn: (row: Inserted) => boolean
    readonly everything: boolean
  },
): Promise<void> {
  const listener = client.listen({
    table: 't',
    operations: everything ? ['insert', 'update', 'delete', 'truncate'] : ['insert', 'truncate'],
    transitions: 'idempotent',
    ...(where === null ? {} : { where }),
  })
  const seen: number[] = []
  listener.on('insert', (event) => {
    if (event.derivedFrom === null) seen.push(Number(event.new['id']))
  })
  await listener.ready
  const from = inserted.length
  await eventually(() => inserted.slice(from).filter(isIn).length >= 3, 'rows in the condition')
  const to = inserted.length
  const wanted = inserted.slice(from, to).filter(isIn)
  await eventually(() => wanted.every(({ id }) => seen.includes(id)), `rows of ${JSON.stringify(where)}`)
  await listener.stop()
  expect(new Set(seen).size).toBe(seen.length)
  const known = new Map(inserted.map((row) => [row.id, row]))
  expect(seen.filter((id) => known.has(id) && !isIn(known.get(id) ?? { id, a: null, b: '' }))).toEqual([])
}

/** The application: it inserts, updates, deletes and alters, and nothing that it does may fail. */
class Writer {
  readonly #database: TestDatabase
  readonly #inserted: Inserted[]
  readonly #random = seededRandom(3)
  #isStopped = false

  constructor(database: TestDatabase, inserted: Inserted[]) {
    this.#database = database
    this.#inserted = inserted
  }

  stop(): void {
    this.#isStopped = true
  }

  async run(): Promise<void> {
    const writer = await this.#database.connect()
    for (let id = 1; !this.#isStopped; id += 1) {
      const number = this.#random.integer(6)
      const row = { id, a: number === 5 ? null : number, b: ['x', "it's", 'y'][this.#random.integer(3)] ?? '' }
      await writer.query('INSERT INTO t VALUES ($1, $2, $3)', [row.id, row.a, row.b])
      // Only now is it certain to be committed.
      this.#inserted.push(row)
      if (id % 3 === 0) await writer.query('UPDATE t SET a = a + 1, b = b WHERE id = $1', [id])
      if (id % 5 === 0) await writer.query('DELETE FROM t WHERE id = $1', [id])
      if (id % 300 === 0) await writer.query('ALTER TABLE t DROP COLUMN c; ALTER TABLE t ADD COLUMN c int')
      if (id % 310 === 0) await writer.query('ALTER TABLE t REPLICA IDENTITY FULL')
      if (id % 370 === 0) await writer.query('ALTER TABLE t REPLICA IDENTITY DEFAULT')
    }
  }
}
