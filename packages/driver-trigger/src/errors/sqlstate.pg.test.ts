import { RowtapError } from '@rowtap/core/driver'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'
import { errorState, toRowtapError } from './sqlstate.ts'

async function failure(promise: Promise<unknown>): Promise<{ code: string; retryable: boolean; message: string }> {
  try {
    await promise
  } catch (error) {
    if (RowtapError.is(error)) return { code: error.code, retryable: error.retryable, message: error.message }
    throw error
  }
  throw new Error('it should have failed')
}

describe('errors by their text and state', () => {
  test.each([
    ['connecting', { code: '28P01', message: 'no' }, 'ERR_AUTHENTICATION_FAILED', false],
    ['connecting', { code: '57P03', message: 'starting up' }, 'ERR_CONNECTION_FAILED', true],
    ['connecting', { code: 'ENOTFOUND', message: 'no' }, 'ERR_CONNECTION_FAILED', true],
    ['connected', { code: '57P01', message: 'shutdown' }, 'ERR_CONNECTION_LOST', true],
    ['connected', { code: '08006', message: 'gone' }, 'ERR_CONNECTION_LOST', true],
    ['connected', { code: 'ECONNRESET', message: 'gone' }, 'ERR_CONNECTION_LOST', true],
    ['connected', { code: '42501', message: 'denied' }, 'ERR_SETUP_REQUIRED', false],
    ['connected', { code: '22012', message: 'division by zero' }, 'ERR_DATABASE', false],
    ['connected', { message: 'Connection terminated unexpectedly' }, 'ERR_CONNECTION_LOST', true],
  ] as const)('%s: %o', (phase, { message, ...state }, code, retryable) => {
    const error = toRowtapError(Object.assign(new Error(message), state), phase, 'It failed')
    expect([error.code, error.retryable]).toEqual([code, retryable])
  })

  test('the state of an error is its SQLSTATE, where it has one', () => {
    expect([errorState({ code: '42P01' }), errorState(new Error('x')), errorState(null)]).toEqual(['42P01', null, null])
  })
})

describePostgres('what keeps a session from opening', (postgres) => {
  test('no server', async () => {
    const { code, retryable, message } = await failure(
      openTestSession({ connection: 'postgresql://someone:s3cret@127.0.0.1:1/none' }),
    )
    expect([code, retryable]).toEqual(['ERR_CONNECTION_FAILED', true])
    expect(message).toContain('Check host and port')
    expect(message).not.toContain('s3cret')
  })

  test('a wrong password', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    const error = await failure(openTestSession({ connection: database.urlFor(role.name, 's3cret') }))
    expect(error.code).toBe('ERR_AUTHENTICATION_FAILED')
    expect(error.message).not.toContain('s3cret')
  })

  test('a database that is not there', async () => {
    await using database = await postgres.createDatabase()
    const url = new URL(database.url)
    url.pathname = '/nothing_here'
    const error = await failure(openTestSession({ connection: url.href }))
    expect(error.code).toBe('ERR_CONNECTION_FAILED')
    expect(error.message).toContain('nothing_here')
  })

  test('a connection string that is none, without a word of what it held', async () => {
    const error = await failure(openTestSession({ connection: 'postgres://a:s3cret@host:port:/db' }))
    expect(['ERR_INVALID_OPTIONS', 'ERR_CONNECTION_FAILED']).toContain(error.code)
    expect(error.message).not.toContain('s3cret')
  })

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

  test('a system catalogue cannot be captured', async () => {
    await using database = await postgres.createDatabase()
    await using session = await openTestSession({ connection: database.url })
    const error = await failure(session.session.describe({ schema: 'pg_catalog', name: 'pg_class' }))
    expect(error.message).toBe('pg_catalog.pg_class is a system catalogue, and PostgreSQL allows no triggers on it.')
  })
})
