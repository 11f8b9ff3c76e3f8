import type { DeliveredEvent, Driver } from '@rowtap/core'
import { connect } from '@rowtap/core'
import { eventually, fold } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { transactionPooler } from '../testing/transaction-pooler.ts'
import { triggerDriver } from '../trigger-driver.ts'

describePostgres('a table that is read behind a transaction pooler', (postgres) => {
  test('is whole, printed as always, and its keys are compared as always', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      ALTER DATABASE "${database.name}" SET "IntervalStyle" = 'sql_standard';
      ALTER DATABASE "${database.name}" SET "DateStyle" = 'SQL, DMY';
      CREATE TABLE t (k text COLLATE "en-x-icu", i interval, at timestamptz, v int, PRIMARY KEY (k, i));
      INSERT INTO t
      SELECT chr(65 + n % 26 + 32 * (n % 2)) || n, make_interval(months => n % 5, days => -n % 7, secs => n), 'epoch', n
      FROM generate_series(1, 1500) n`)
    await using pooler = await transactionPooler(database.url)
    const driver: Driver = triggerDriver({ connection: pooler.url, pooler: 'transaction' })
    await using client = await connect(driver)
    const events: DeliveredEvent[] = []
    const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes: 10_000 })
    listener.on('change', (event) => void events.push(event))
    await listener.ready
    for (let round = 0; round < 20; round += 1) {
      await database.query('UPDATE t SET v = v + 10000 WHERE v % 20 = $1', [round])
      await database.query('DELETE FROM t WHERE v = $1', [round * 7 + 3])
    }
    await listener.snapshotDone
    await database.query('UPDATE t SET v = -1 WHERE v = (SELECT max(v) FROM t)')
    await eventually(() => events.at(-1)?.new?.['v'] === -1, 'the last change')
    const shape = ({ k, v, at }: Record<string, unknown>): unknown[] => [k, v, at]
    const reader = await database.connect()
    await reader.query('SET "DateStyle" = ISO')
    const { rows } = await reader.query<Record<string, unknown>>('SELECT k, v, at FROM t ORDER BY v')
    const folded = [...fold(events, { strict: true }).values()]
    expect(folded.toSorted((one, other) => Number(one['v']) - Number(other['v'])).map(shape)).toEqual(rows.map(shape))
  })
})
