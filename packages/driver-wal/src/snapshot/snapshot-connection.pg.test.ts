import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import pg from 'pg'
import { expect, test } from 'vitest'
import { Interruption } from '@rowtap/core/driver'
import { SnapshotConnection } from './snapshot-connection.ts'

describePostgres('a connection for reading tables', (postgres) => {
  test('keeps nothing of what was read, however long its link lasts', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    await using database = await postgres.createDatabase()
    const loss = new Interruption()
    const connection = new SnapshotConnection({
      config: { connectionString: database.url },
      types: pg.types,
      names: { nameOf: () => undefined, byName: () => undefined, inPart: new Set(), publications: [] },
      link: () => Promise.resolve({ unlessLost: (work) => loss.unless(work) }),
      signal: new AbortController().signal,
    })
    const read = (): Promise<object> => connection.run('read', ({ control }) => control.query<'n'>('SELECT 1 AS n'))
    const first = new WeakRef(await read())
    await read()
    await eventually(() => {
      collectGarbage()
      return first.deref() === undefined
    }, 'the first reading is forgotten')
    expect(await read()).toEqual([{ n: 1 }])
    await connection.close()
  })
})
