import { connect, plan } from '@rowtap/core'
import type { ListenOptions, PlannedPart } from '@rowtap/core'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'
import type { TriggerDriverOptions } from '../trigger-options.ts'

const SETUP = `
  CREATE TABLE t (id int PRIMARY KEY, a int, b text);
  CREATE TABLE parted (id int PRIMARY KEY, a int) PARTITION BY RANGE (id)`

const NARROW = { table: 't', columns: ['id'], where: { a: 1 }, operations: ['insert', 'update'] } as const

describePostgres('a plan with pushdown', (postgres) => {
  test('says of each listener what is left to the database, and why it is not', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SETUP)
    const parts = async (
      what: PlannedPart['what'],
      listeners: readonly ListenOptions[],
      options: TriggerDriverOptions = { pushdown: 'conditions' },
    ): Promise<readonly string[]> => {
      const planned = await plan(triggerDriver({ connection: database.url, ...options }), listeners)
      return planned.listeners.flatMap((listener) =>
        listener.parts.flatMap(({ what: part, where, why }) => (part === what ? [`${where}: ${why}`] : [])),
      )
    }
    const inDatabase = /^database: PostgreSQL leaves out the rows that no listener of the table wants/u
    expect(await parts('condition', [NARROW])).toEqual([expect.stringMatching(inDatabase)])
    expect(await parts('columns', [{ ...NARROW, operations: ['insert'] }])).toEqual([
      expect.stringMatching(/^database: PostgreSQL leaves out the columns that no listener of the table needs/u),
    ])
    // Whether an update has changed any of one listener’s columns is found out in the process.
    expect(await parts('columns', [NARROW])).toEqual([
      expect.stringMatching(
        /^process: PostgreSQL leaves out the columns .* left out\. Its deletes are not captured\.$/u,
      ),
    ])
    const inProcess = (why: string): readonly unknown[] => [
      expect.stringMatching(new RegExp(`^process: .*${why}`, 'u')),
    ]
    expect(await parts('condition', [NARROW], {})).toEqual(inProcess('row is decoded\\.$'))
    expect(await parts('condition', [{ ...NARROW, where: { b: { like: 'x%' } } }])).toEqual(inProcess('no patterns'))
    expect(await parts('condition', [{ ...NARROW, table: 'parted' }])).toEqual(inProcess('captured row by row'))
    expect(await parts('condition', [NARROW, { table: 't' }])).toEqual(inProcess('wants every row and every column'))
    expect(await parts('condition', [NARROW], { pushdown: 'conditions', enableAlways: true })).toEqual(
      inProcess('captured row by row'),
    )
    const driver = triggerDriver({ connection: database.url, pushdown: 'conditions' })
    {
      await using other = await connect(driver)
      await other.listen({ table: 't' }).ready
      expect(await parts('condition', [NARROW])).toEqual(inProcess('Another client, or a subscription, wants more'))
    }
    await using whole = await connect(triggerDriver({ connection: database.url }))
    await whole.listen({ table: 't' }).ready
    expect(await parts('condition', [NARROW])).toEqual(inProcess('made by a client without it'))
    await using running = await connect(driver)
    const planned = await running.plan([NARROW])
    expect(planned.listeners[0]?.parts.find(({ what }) => what === 'condition')?.why).toMatch(
      /made by a client without/u,
    )
  })

  test('shows the functions and triggers that it would make, and makes none', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SETUP)
    const { statements } = await plan(triggerDriver({ connection: database.url, pushdown: 'conditions' }), [NARROW])
    const texts = statements.map(({ sql }) => sql)
    const made = texts.find((sql) => sql.startsWith('create or replace function'))
    expect(made).toContain('= :shape then textin(record_out(row(n."id", n."a")))')
    expect(made).toContain(`if tg_op in (''DELETE'') then`)
    expect(texts.filter((sql) => sql.startsWith('create trigger')).map((sql) => sql.split(' ', 6).at(-1))).toEqual([
      'insert',
      'update',
      'truncate',
    ])
    expect(await database.query(`SELECT FROM pg_namespace WHERE nspname = 'rowtap'`)).toEqual([])
  })
})
