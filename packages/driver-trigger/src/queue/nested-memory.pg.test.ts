import { parseTableName } from '@rowtap/core/driver'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'

/** Each row of the outer statement has its trigger write another row to the same table: as many nested statements. */
const NESTED = `
  CREATE TABLE t (id int PRIMARY KEY);
  CREATE FUNCTION precede() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO t VALUES (-new.id); RETURN new;
  END $$;
  CREATE TRIGGER precede BEFORE INSERT ON t FOR EACH ROW WHEN (new.id > 0) EXECUTE FUNCTION precede()`

const STATEMENTS = 60_000
const HEAP_BYTES = 9_000_000

setFlagsFromString('--expose-gc')

function heapBytes(): number {
  runInNewContext('gc()')
  return process.memoryUsage().heapUsed
}

describePostgres('a transaction with very many nested statements', (postgres) => {
  test('is delivered in the order in which it was made, and is not kept in memory', { timeout: 300_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query(NESTED)
    const session = await triggerDriver({ connection: database.url }).open({
      subscription: null,
      signal: new AbortController().signal,
      planOnly: false,
      messages: false,
      notify: () => {},
    })
    await session.capture([
      { table: parseTableName('t'), operations: new Set(['insert']), columns: null, comparedEnums: new Set() },
    ])
    await database.query('INSERT INTO t SELECT generate_series(1, $1::int)', [STATEMENTS])
    const before = heapBytes()
    let [count, misplaced, batches, most] = [0, 0, 0, 0]
    for await (const { changes } of session.batches()) {
      for (const { new: row, position } of changes) {
        count += 1
        const cause = Math.ceil(count / 2)
        if (Number(row?.text(0)) !== (count % 2 === 1 ? -cause : cause)) misplaced += 1
        session.acknowledge(position)
      }
      if (batches % 10 === 0) most = Math.max(most, heapBytes() - before)
      batches += 1
      if (count >= 2 * STATEMENTS) break
    }
    await session.close()
    expect([count, misplaced]).toEqual([2 * STATEMENTS, 0])
    expect(most).toBeLessThan(HEAP_BYTES)
  })
})
