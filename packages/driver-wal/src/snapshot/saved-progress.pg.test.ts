import type { Client } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { dropSubscription } from '../session/drop-subscription.ts'
import { inspectWal } from '../health/inspect-wal.ts'
import { uninstallWal } from '../uninstall/uninstall-wal.ts'
import { walObjects } from '../uninstall/wal-objects.ts'
import { walDriver } from '../wal-driver.ts'

const KEY = 'jane@example.org'
const OBJECTS = `SELECT oid, lomowner::regrole::text AS owner FROM pg_largeobject_metadata ORDER BY oid`

/** A table whose keys are personal data, with a subscription that has read it, and what is known of it written down. */
async function subscribed(database: TestDatabase): Promise<void> {
  await database.query(`CREATE TABLE people (mail text PRIMARY KEY); INSERT INTO people VALUES ('${KEY}'), ('z')`)
  const client = await connect(walDriver({ connection: database.url }), { subscription: 'billing' })
  await readAll(client)
  await database.query(`DELETE FROM people WHERE mail = 'z'; INSERT INTO people VALUES ('z2')`)
  await client.close()
}

async function readAll(client: Client<ReturnType<typeof walDriver>['capabilities']>): Promise<readonly unknown[]> {
  const rows: unknown[] = []
  // Each row is a piece of its own, so that there are boundaries to keep.
  const listener = client.listen({ table: 'people', snapshot: 'initial', bufferBytes: 1 })
  listener.on('snapshot', ({ key }) => void rows.push(key?.['mail']))
  await listener.snapshotDone
  return rows
}

describePostgres('how far snapshots are', (postgres) => {
  test('is kept where no other role can read it', async () => {
    await using database = await postgres.createDatabase()
    await subscribed(database)
    const role = await database.createRole()
    const other = await database.connect({ connectionString: role.url })
    expect(await other.query('SELECT current_user AS name')).toMatchObject({ rows: [{ name: role.name }] })
    const [object] = await database.query(OBJECTS)
    await expect(other.query('SELECT lo_get($1)', [object?.['oid']])).rejects.toMatchObject({ code: '42501' })
    await expect(other.query('SELECT data FROM pg_largeobject')).rejects.toMatchObject({ code: '42501' })
    const { rows } = await other.query<{ text: string }>('SELECT description AS text FROM pg_description')
    expect(rows.filter(({ text }) => text.includes(KEY))).toEqual([])
    expect(rows.filter(({ text }) => text.includes('rowtap_s_billing_all'))).toHaveLength(1)
  })

  test('is kept in one place, which goes with the subscription', async () => {
    await using database = await postgres.createDatabase()
    const before = await catalogueSnapshot(database)
    await subscribed(database)
    await using client = await connect(walDriver({ connection: database.url }), { subscription: 'billing' })
    expect(await readAll(client)).toEqual([])
    await client.close()
    expect(await database.query(OBJECTS)).toHaveLength(1)
    await dropSubscription({ connection: database.url }, 'billing')
    expect(await database.query(OBJECTS)).toEqual([])
    await database.query('DROP TABLE people')
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('is removed with the publication that it goes with, by us and by the statements that are told', async () => {
    for (const isTold of [true, false]) {
      await using database = await postgres.createDatabase()
      await subscribed(database)
      const objects = walObjects(await inspectWal({ connection: database.url, sampleMs: 0 }))
      if (isTold)
        for (const { statements } of objects) for (const statement of statements) await database.query(statement)
      else await uninstallWal({ connection: database.url, objects })
      expect(await database.query(OBJECTS)).toEqual([])
    }
  })

  test('is not taken from what somebody else has put there, and begins anew where somebody has removed it', async () => {
    await using database = await postgres.createDatabase()
    await subscribed(database)
    await database.query(`SELECT lo_unlink(oid) FROM pg_largeobject_metadata`)
    const role = await database.createRole()
    const other = await database.connect({ connectionString: role.url })
    const { rows } = await other.query<{ oid: number }>('SELECT lo_create(0) AS oid')
    await other.query(
      `COMMENT ON LARGE OBJECT ${rows[0]?.oid ?? 0} IS 'rowtap: how far the snapshots are of rowtap_s_billing_all'`,
    )
    await using client = await connect(walDriver({ connection: database.url }), { subscription: 'billing' })
    expect(await readAll(client)).toEqual([KEY, 'z2'])
    expect(await database.query(OBJECTS)).toHaveLength(2)
    const content = await other.query<{ length: number }>('SELECT length(lo_get($1))', [rows[0]?.oid])
    expect(content.rows).toEqual([{ length: 0 }])
  })

  test.each([
    [
      'somebody has removed the rest of it by hand',
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database();
       DROP PUBLICATION rowtap_s_billing_all, rowtap_s_billing_inserts`,
    ],
    ['somebody has taken its table out of the publication', 'ALTER PUBLICATION rowtap_s_billing_all DROP TABLE people'],
    ['somebody has dropped its publications', 'DROP PUBLICATION rowtap_s_billing_all, rowtap_s_billing_inserts'],
  ])('holds no more once changes were missed: %s', async (_, harm) => {
    await using database = await postgres.createDatabase()
    await subscribed(database)
    await database.query(harm)
    await database.query(`INSERT INTO people VALUES ('missed')`)
    const connection = database.url
    const options = { subscription: 'billing', onPositionLost: 'restart', on: { gap: () => undefined } } as const
    // Whoever takes the subscription next captures the table, and does not read it.
    const client = await connect(walDriver({ connection }), options)
    await client.listen({ table: 'people' }).ready
    await client.close()
    await using last = await connect(walDriver({ connection }), options)
    expect(await readAll(last)).toEqual([KEY, 'missed', 'z2'])
  })

  test('holds no more once rows of its condition do not leave the server', async (context) => {
    context.skip(postgres.version < 15, 'PostgreSQL filters rows from version 15 on')
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE parcels (id int PRIMARY KEY, early bool, late bool)')
    await database.query('INSERT INTO parcels VALUES (1, true, true)')
    const open = (): Promise<Client<ReturnType<typeof walDriver>['capabilities']>> =>
      connect(walDriver({ connection: database.url, pushdown: 'inserts' }), {
        subscription: 'billing',
        resumeTimeoutMs: 1,
        on: { gap: () => undefined },
      })
    const readEarly = async (): Promise<readonly unknown[]> => {
      await using client = await open()
      const ids: unknown[] = []
      const listener = client.listen({
        table: 'parcels',
        operations: ['insert'],
        where: { early: true },
        snapshot: 'initial',
      })
      listener.on('snapshot', ({ key }) => void ids.push(key['id']))
      await listener.snapshotDone
      return ids
    }
    expect(await readEarly()).toEqual([1])
    await using other = await open()
    await other.listen({ table: 'parcels', operations: ['insert'], where: { late: true } }).ready
    await eventually(async () => {
      const [row] = await database.query(
        `SELECT pg_get_expr(prqual, prrelid) AS filter FROM pg_publication_rel WHERE prrelid = 'parcels'::regclass`,
      )
      return typeof row?.['filter'] === 'string' && !row['filter'].includes('early')
    }, 'the filter of the listener that has not come is gone')
    await database.query('INSERT INTO parcels VALUES (2, true, false)')
    await other.close()
    expect(await readEarly()).toEqual([1, 2])
  })
})
