import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { clientConfig } from '../connection/client-config.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import { ReplicationConnection } from './replication-connection.ts'

describePostgres('a connection', (postgres) => {
  test('is given up by the server in a while when this end is gone, whatever the server’s settings are', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`ALTER DATABASE "${database.name}" SET wal_sender_timeout = 0`)
    await database.query(`ALTER DATABASE "${database.name}" SET tcp_keepalives_idle = 7200`)
    const replication = new ReplicationConnection(clientConfig(database.url))
    const control = new ControlConnection(clientConfig(database.url))
    try {
      await replication.connect()
      expect(await replication.senderTimeoutMs()).toBe(60_000)
      expect(await replication.senderTimeoutMs()).toBe(60_000)
      await control.connect()
      const [row] = await control.query<'idle' | 'interval' | 'count'>(
        `SELECT current_setting('tcp_keepalives_idle') AS idle, current_setting('tcp_keepalives_interval') AS interval, current_setting('tcp_keepalives_count') AS count`,
      )
      expect(row).toEqual({ idle: '5', interval: '3', count: '3' })
    } finally {
      await replication.stop(null)
      await control.end()
    }
  })
})
