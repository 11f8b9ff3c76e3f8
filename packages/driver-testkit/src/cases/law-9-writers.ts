import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { hostileWriter } from '../tools/hostile-session.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

/** Long enough for an attach that waits for a lock to have tried for it. */
const WRITE_FOR_MS = 1500

/** Tables whose rows PostgreSQL cannot tell apart in the log: an UPDATE of one fails where it is published carelessly. */
const KEYLESS: Readonly<Record<string, string>> = {
  'a table without a primary key': 'CREATE TABLE public.t (id int, v text)',
  'a table whose primary key is deferrable': 'CREATE TABLE public.t (id int PRIMARY KEY DEFERRABLE, v text)',
  'a table whose replica identity is nothing':
    'CREATE TABLE public.t (id int PRIMARY KEY, v text); ALTER TABLE public.t REPLICA IDENTITY NOTHING',
  'an unlogged table': 'CREATE UNLOGGED TABLE public.t (id int PRIMARY KEY, v text)',
}

function keyless([name, create]: readonly [string, string]): ConformanceCase {
  return {
    name: `${name} can be written to as before, whether it is captured or refused`,
    law: 9,
    needs: ['operations.insert', 'operations.update', 'operations.delete'],
    async run(context) {
      const { database } = context
      await database.query(create)
      const client = await context.connect()
      let refused: unknown
      const collector = await context.listen(client, { table: 'public.t' }).catch((error: unknown) => {
        refused = error
      })
      await assert.doesNotReject(async () => {
        await database.query(`INSERT INTO public.t VALUES (1, 'a'), (2, 'a')`)
        await database.query(`UPDATE public.t SET v = 'b'`)
        await database.query('DELETE FROM public.t')
      }, 'capturing makes the user’s statement fail')
      if (collector === undefined) {
        assert.ok(
          RowtapError.is(refused, 'ERR_SETUP_REQUIRED'),
          `refused with ERR_SETUP_REQUIRED, not with ${String(refused)}`,
        )
        assert.match(refused.message, /ALTER TABLE/u, 'the message holds the statement that helps')
      } else {
        // An update is two events where the whole row is the key.
        await collector.until((event) => event.kind === 'delete' && collector.events.length >= 6, 'the changes')
      }
    },
  }
}

const partlyCaptured: ConformanceCase = {
  name: 'a listener for inserts on a table without a primary key does not make updates and deletes fail',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await database.query('CREATE TABLE public.keyless (id int, v text)')
    const client = await context.connect()
    // The other listener wants updates: what one wants is not to be done to the table of the other.
    await context.listen(client, { table: 'public.t' })
    const collector = await context
      .listen(client, { table: 'public.keyless', operations: ['insert'] })
      .catch((error: unknown) => {
        assert.ok(RowtapError.is(error, 'ERR_SETUP_REQUIRED'), String(error))
      })
    await assert.doesNotReject(async () => {
      await database.query(`INSERT INTO public.keyless VALUES (1, 'a')`)
      await database.query(`UPDATE public.keyless SET v = 'b'`)
      await database.query('DELETE FROM public.keyless')
    }, 'capturing makes the user’s statement fail')
    await collector?.count(1, 'the insert')
  },
}

const keyDropped: ConformanceCase = {
  name: 'a primary key that is dropped while its table is captured does not make updates and deletes fail',
  law: 9,
  needs: ['operations.insert', 'operations.update', 'operations.delete', 'rows.oldWithoutSetup'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await context.listen(
      await context.connect({}, 'mayFail').then((client) => (client.on('error', () => undefined), client)),
      { table: 'public.t' },
    )
    await database.query(`INSERT INTO public.t VALUES (1, 'a')`)
    await database.query('ALTER TABLE public.t DROP CONSTRAINT t_pkey')
    await assert.doesNotReject(async () => {
      await database.query(`UPDATE public.t SET v = 'b'`)
      await database.query('DELETE FROM public.t')
    }, 'capturing makes the user’s statement fail')
  },
}

const poorRole: ConformanceCase = {
  name: 'a role that may do nothing but write to the table can write to it, and is captured',
  law: 9,
  needs: ['operations.insert', 'operations.update', 'operations.delete'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const role = await database.createRole()
    await database.query(
      `REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO ${role.name}; GRANT INSERT, UPDATE, DELETE ON public.t TO ${role.name}`,
    )
    await database.query(`REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC`)
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const writer = await database.connect({ connectionString: role.url })
    await assert.doesNotReject(async () => {
      await writer.query(`INSERT INTO public.t VALUES (1, 'a')`)
      await writer.query(`UPDATE public.t SET v = 'b'`)
      await writer.query('DELETE FROM public.t')
    }, 'the writer lacks a privilege that only capturing needs')
    assert.equal((await eventsSoFar(database, collector, 't')).length, 3)
  },
}

const hostileSession: ConformanceCase = {
  name: 'a writer with a search_path of its own, and functions in the way, can write and is captured',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const writer = await hostileWriter(database)
    await assert.doesNotReject(
      writer.query(`INSERT INTO public.t VALUES (1, 'a')`),
      'an unqualified name was resolved in the writer’s search_path',
    )
    await writer.query(`SET search_path = ''; SET default_transaction_isolation = serializable`)
    await assert.doesNotReject(writer.query(`INSERT INTO public.t VALUES (2, 'b')`))
    assert.equal((await eventsSoFar(database, collector, 't')).length, 2)
  },
}

const prepared: ConformanceCase = {
  name: 'a transaction can be prepared and committed later, and its changes arrive then',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    const [setting] = await database.query('SHOW max_prepared_transactions')
    if (setting?.['max_prepared_transactions'] === '0') return
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const writer = await database.connect()
    const name = `${database.name} prepared`
    await writer.query(`BEGIN; INSERT INTO public.t VALUES (1, 'prepared')`)
    await assert.doesNotReject(writer.query(`PREPARE TRANSACTION '${name}'`), 'capturing forbids PREPARE TRANSACTION')
    assert.deepEqual(await eventsSoFar(database, collector, 't'), [], 'invented: it is not committed yet')
    await writer.query(`COMMIT PREPARED '${name}'`)
    await collector.until((event) => event.new?.['id'] === 1, 'the prepared transaction’s insert')
  },
}

const attachBehindLock: ConformanceCase = {
  name: 'attaching to a table that a transaction has written to does not hold up other writers',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't', `INSERT INTO public.t VALUES (1, 'a'), (2, 'b')`)
    const client = await context.connect()
    const holder = await database.connect()
    await holder.query(`BEGIN; UPDATE public.t SET v = 'held' WHERE id = 1`)
    let settled = false
    const listening = context.listen(client, { table: 'public.t' }).finally(() => {
      settled = true
    })
    listening.catch(() => undefined)
    const writer = await database.connect()
    await writer.query(`SET statement_timeout = '1s'`)
    // Writes one after the other, to meet the attach whenever it asks for its lock.
    const deadline = performance.now() + WRITE_FOR_MS
    for (let count = 0; performance.now() < deadline && !settled; count += 1) {
      await assert.doesNotReject(
        writer.query(`UPDATE public.t SET v = $1 WHERE id = 2`, [`write ${count}`]),
        'a writer queued behind the attach',
      )
    }
    await holder.query('COMMIT')
    const collector = await listening
    await database.query(`INSERT INTO public.t VALUES (3, 'c')`)
    await collector.until((event) => event.new?.['id'] === 3, 'the insert after ready')
  },
}

const rowSecurity: ConformanceCase = {
  name: 'row-level security neither hides a change nor stands in the writer’s way',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const role = await database.createRole()
    await database.query(`
      ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY write_only ON public.t FOR INSERT TO ${role.name} WITH CHECK (true);
      GRANT USAGE ON SCHEMA public TO ${role.name};
      GRANT INSERT ON public.t TO ${role.name}`)
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const writer = await database.connect({ connectionString: role.url })
    await writer.query(`INSERT INTO public.t VALUES (1, 'unseen')`)
    await context.eventually(() => collector.events.length === 1, 'the row that its own writer may not read')
  },
}

/** Law 9: a user's statements go on as before. */
export const writerCases: readonly ConformanceCase[] = [
  ...Object.entries(KEYLESS).map(keyless),
  partlyCaptured,
  keyDropped,
  poorRole,
  hostileSession,
  prepared,
  attachBehindLock,
  rowSecurity,
]
