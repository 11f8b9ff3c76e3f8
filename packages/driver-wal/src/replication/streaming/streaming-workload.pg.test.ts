import { createWorkloadTable, eventually, runWorkload } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../../testing/test-session.ts'
import { testSession, wanted } from '../../testing/test-session.ts'

describePostgres('concurrent writers whose every change is streamed at once', (postgres) => {
  test.for([
    ['FULL', 1, 0],
    ['DEFAULT', 2, 0],
    ['DEFAULT', 3, 1024 * 1024],
  ] as const)(
    'are delivered as if each transaction had come after its commit (identity %s, seed %i, %i bytes)',
    { timeout: 120_000 },
    async ([identity, seed, streamingBufferBytes], context) => {
      context.skip(postgres.version < 16, 'PostgreSQL can be told to stream every change from version 16 on')
      await using database = await postgres.createDatabase()
      await database.query(`ALTER DATABASE "${database.name}" SET debug_logical_replication_streaming = 'immediate'`)
      await createWorkloadTable(database, identity)
      await database.query('CREATE TABLE last (id int PRIMARY KEY)')
      const connection = database.url
      await using whole = await testSession({ connection })
      await using streamed = await testSession({ connection, streaming: 'on', streamingBufferBytes })
      for (const { session } of [whole, streamed]) await session.capture([wanted('accounts'), wanted('last')])
      const { committed } = await runWorkload({ database, seed, transactions: 60, truncate: true })
      expect(committed).toBeGreaterThan(100)
      await database.query('INSERT INTO last VALUES (1)')
      const isThere = ({ changes }: TestSession): boolean => changes.at(-1)?.table === 'last'
      await Promise.race([
        eventually(() => isThere(whole) && isThere(streamed), 'the last change'),
        whole.reading,
        streamed.reading,
      ])
      expect(streamed.changes).toEqual(whole.changes)
      expect(whole.changes.length).toBeGreaterThan(200)
    },
  )
})
