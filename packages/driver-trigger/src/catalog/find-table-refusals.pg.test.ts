import { RowtapError } from '@rowtap/core/driver'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise
  } catch (error) {
    if (RowtapError.is(error)) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('it should have failed')
}

describePostgres('what keeps a table from being captured', (postgres) => {
  test.each([
    ['CREATE VIEW x AS SELECT 1 AS id', 'is a view'],
    ['CREATE MATERIALIZED VIEW x AS SELECT 1 AS id', 'is a materialized view'],
    ['CREATE SEQUENCE x', 'is a sequence'],
    ['CREATE UNLOGGED TABLE x (id int)', 'is unlogged'],
    ['CREATE TABLE y (id int) PARTITION BY LIST (id); CREATE TABLE x PARTITION OF y DEFAULT', 'Listen to public.y'],
    ['CREATE TABLE xx (id int)', 'Did you mean public.xx?'],
    ['CREATE TABLE other (id int)', 'There is no table public.x'],
  ])('%s', async (create, message) => {
    await using database = await postgres.createDatabase()
    await database.query(create)
    await using session = await openTestSession({ connection: database.url })
    const error = await failure(session.session.describe({ schema: 'public', name: 'x' }))
    expect(error.code).toBe('ERR_SETUP_REQUIRED')
    expect(error.message).toContain(message)
  })

  test('a table is not taken for a part of the queue because the queue is to be in its schema', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE x (id int)')
    await using session = await openTestSession({ connection: database.url, schema: 'public' })
    const error = await failure(session.session.describe({ schema: 'public', name: 'x' }))
    expect(error.code).toBe('ERR_SETUP_REQUIRED')
    expect(error.message).toContain('Set the option schema of triggerDriver to another name.')
  })

  test('a system catalogue cannot be captured', async () => {
    await using database = await postgres.createDatabase()
    await using session = await openTestSession({ connection: database.url })
    const error = await failure(session.session.describe({ schema: 'pg_catalog', name: 'pg_class' }))
    expect(error.message).toBe('pg_catalog.pg_class is a system catalogue, and PostgreSQL allows no triggers on it.')
  })
})
