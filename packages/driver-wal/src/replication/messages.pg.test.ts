import { connect } from '@rowtap/core'
import { cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { dropSubscription } from '../session/drop-subscription.ts'
import { testHost } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const SLOT = `SELECT pg_create_logical_replication_slot('streamed_' || md5(current_database()), 'pgoutput')`
/** Of each message of the stream its type and the transaction that it is said to be of, at the byte that follows. */
const STREAM = `
  SELECT chr(get_byte(data, 0)) AS type, encode(substring(data FROM 2 FOR 4), 'hex') AS xid
  FROM pg_logical_slot_peek_binary_changes('streamed_' || md5(current_database()), NULL, NULL,
    'proto_version', '2', 'streaming', 'on', 'publication_names', 'streamed', 'messages', 'true')`

describePostgres('logical messages', (postgres) => {
  test('are refused with streaming, which does not say what of them was rolled back', async () => {
    await using database = await postgres.createDatabase()
    const driver = walDriver({ connection: database.url, streaming: 'on' })
    await expect(driver.open({ ...testHost(), messages: true })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' })

    // What it is refused for: the message of the savepoint is said to be of the whole transaction, as its row is not.
    await database.query(`CREATE TABLE t (v text); CREATE PUBLICATION streamed FOR TABLE t`)
    await database.query(SLOT)
    const writer = await database.connect()
    await writer.query('BEGIN; SELECT pg_current_xact_id(); SAVEPOINT s')
    await writer.query(`INSERT INTO t VALUES ('in the savepoint')`)
    await writer.query(`SELECT pg_logical_emit_message(true, 'p', 'in the savepoint')`)
    await writer.query(`INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 1000)`)
    // It writes the log to the disk.
    await database.query('CREATE TABLE other ()')
    await database.query(`SET logical_decoding_work_mem = '64kB'`)
    const stream = await database.query(STREAM)
    await writer.query('ROLLBACK TO s; COMMIT')
    const transactionsOf = (type: string): ReadonlySet<unknown> =>
      new Set(stream.filter((one) => one['type'] === type).map(({ xid }) => xid))
    expect(transactionsOf('M').size).toBe(1)
    expect(transactionsOf('M')).toEqual(transactionsOf('S'))
    expect(transactionsOf('I')).not.toEqual(transactionsOf('S'))
    await database.query(`SELECT pg_drop_replication_slot('streamed_' || md5(current_database()))`)
  })

  test('are neither lost nor delivered again when the connection is', async () => {
    await using database = await postgres.createDatabase()
    const seen: string[] = []
    const reconnected: string[] = []
    await using client = await connect(walDriver({ connection: database.url, reconnect: { minDelayMs: 10 } }), {
      subscription: 'messages',
      messages: { prefixes: ['p'] },
      on: {
        message: ({ content }) => void seen.push(Buffer.from(content).toString()),
        reconnect: ({ outcome }) => void reconnected.push(outcome),
      },
    })
    for (let round = 0; round < 3; round += 1) {
      await database.query(`SELECT pg_logical_emit_message(true, 'p', $1)`, [`${round} before`])
      await eventually(() => seen.at(-1) === `${round} before`, 'a message')
      await cutConnections(database)
      await database.query(`SELECT pg_logical_emit_message(false, 'p', $1)`, [`${round} alone`])
      await database.query(`SELECT pg_logical_emit_message(true, 'p', $1)`, [`${round} after`])
      await eventually(() => seen.at(-1) === `${round} after`, 'a message after a loss')
    }
    expect(seen).toEqual([0, 1, 2].flatMap((round) => [`${round} before`, `${round} alone`, `${round} after`]))
    expect(reconnected).toContain('connected')
    await client.close()
    await dropSubscription({ connection: database.url }, 'messages')
  })
})
