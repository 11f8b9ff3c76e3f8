import { describe, expect, test } from 'vitest'
import { connectError } from './connect-error.ts'
import { errorText, sqlstateOf } from './server-error.ts'
import { SQLSTATE_MEANINGS } from './sqlstate-meaning.ts'
import { statementError } from './statement-error.ts'

const TARGET = { address: 'db:5432', database: 'shop', user: 'ada' }

function serverError(code: string, message: string): Error {
  return Object.assign(new Error(message), { severity: 'FATAL', code })
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

test('an SQLSTATE is what the server sent, not what the system calls its errors', () => {
  expect(sqlstateOf(serverError('42P01', 'x'))).toBe('42P01')
  for (const error of [systemError('EPIPE', 'x'), systemError('42P01', 'x'), new Error('x'), null, 'x']) {
    expect(sqlstateOf(error)).toBeNull()
  }
})

test('a host with several addresses is told with what became of each', () => {
  const each = [
    systemError('ECONNREFUSED', 'connect ECONNREFUSED ::1:1'),
    new Error('connect ECONNREFUSED 127.0.0.1:1.'),
  ]
  expect(errorText(new AggregateError(each))).toBe('connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1')
  expect(connectError(new AggregateError(each), TARGET)).toMatchObject({
    retryable: true,
    message: expect.stringContaining('check the host'),
  })
})

test('a defect of the driver is not taken for a connection that was lost', () => {
  const cause = new TypeError('x is not a function')
  expect(statementError(cause, 'stream changes', SQLSTATE_MEANINGS)).toMatchObject({
    code: 'ERR_DRIVER_CONTRACT',
    retryable: false,
    message: expect.stringContaining('stream changes: x is not a function'),
    cause,
  })
  const lost = systemError('ECONNRESET', 'read ECONNRESET')
  expect(statementError(lost, 'stream changes', SQLSTATE_MEANINGS)).toMatchObject({ code: 'ERR_CONNECTION_LOST' })
})

describe('an error of a connection that is being made', () => {
  test.each([
    [serverError('28P01', 'no'), 'ERR_AUTHENTICATION_FAILED', false, /: correct the user or the password/],
    [
      new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      'ERR_AUTHENTICATION_FAILED',
      false,
      /^The server at db:5432 asks user "ada" for a password, and no password was given: put it .* PGPASSWORD\.$/,
    ],
    [serverError('28000', 'role "ada" does not exist'), 'ERR_AUTHENTICATION_FAILED', false, /user or the password/],
    [
      serverError('28000', 'no pg_hba.conf entry for host "::1", user "ada", database "shop", no encryption'),
      'ERR_AUTHENTICATION_FAILED',
      false,
      /: ask for TLS with sslmode=verify-full/,
    ],
    [serverError('28000', 'no pg_hba.conf entry for host "::1"'), 'ERR_AUTHENTICATION_FAILED', false, /admit them/],
    [serverError('08006', 'gone'), 'ERR_CONNECTION_FAILED', true, /: check the host/],
    [serverError('53200', 'out of memory'), 'ERR_CONNECTION_FAILED', true, /refused the connection to database "shop"/],
    [
      serverError('55000', 'database "shop" is not currently accepting connections'),
      'ERR_CONNECTION_FAILED',
      true,
      /"shop" at db:5432 takes no connections .* ALTER DATABASE "shop" ALLOW_CONNECTIONS true\.$/,
    ],
    [serverError('57P03', 'the database system is starting up'), 'ERR_CONNECTION_FAILED', true, /: try again\.$/],
    [systemError('ENOENT', 'connect ENOENT /tmp/.s.PGSQL.5432'), 'ERR_CONNECTION_FAILED', true, /: check the host/],
    [
      systemError('ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version'),
      'ERR_CONNECTION_FAILED',
      false,
      /^TLS with .*sslmode/,
    ],
    [systemError('CERT_HAS_EXPIRED', 'expired'), 'ERR_CONNECTION_FAILED', false, /is not valid now .*: renew it/],
    [new Error('timeout expired'), 'ERR_CONNECTION_FAILED', true, /: check the host/],
    [new Error('Connection terminated unexpectedly'), 'ERR_CONNECTION_FAILED', true, /: check the host/],
    [new TypeError('x is not a function'), 'ERR_CONNECTION_FAILED', false, /^No connection .*: x is not a function\.$/],
  ] as const)('%o', (error, code, retryable, message) => {
    const { cause, ...failure } = connectError(error, TARGET)
    expect(failure).toMatchObject({ code, retryable })
    expect(cause).toBe(error)
    expect(connectError(error, TARGET).message).toMatch(message)
  })
})

describe('an error of a statement', () => {
  test.each([
    [serverError('57P01', 'terminating'), 'ERR_CONNECTION_LOST', true, /^The connection .* was lost: terminating\.$/],
    [serverError('08006', 'gone'), 'ERR_CONNECTION_LOST', true, /was lost/],
    [systemError('ECONNRESET', 'gone'), 'ERR_CONNECTION_LOST', true, /was lost/],
    [new Error('Connection terminated unexpectedly'), 'ERR_CONNECTION_LOST', true, /was lost/],
    [serverError('42501', 'denied'), 'ERR_SETUP_REQUIRED', false, /denied \(SQLSTATE 42501\)\. Grant the privilege/],
    [serverError('53400', 'limit'), 'ERR_DATABASE', true, /resources/],
    [
      serverError('22012', 'division by zero'),
      'ERR_DATABASE',
      false,
      /^PostgreSQL refused to divide: division by zero \(SQLSTATE 22012\)\.$/,
    ],
  ] as const)('%o', (error, code, retryable, message) => {
    const failure = statementError(error, 'divide', SQLSTATE_MEANINGS)
    expect([failure.code, failure.retryable]).toEqual([code, retryable])
    expect(failure.message).toMatch(message)
    expect(failure.cause).toBe(error)
  })

  test('is left as it is where it is told already, and follows the driver’s own table', () => {
    const told = statementError(serverError('55006', 'in use'), 'start', {
      ...SQLSTATE_MEANINGS,
      '55006': { code: 'ERR_SUBSCRIPTION_IN_USE', retryable: true },
    })
    expect(told.code).toBe('ERR_SUBSCRIPTION_IN_USE')
    expect(statementError(told, 'start', SQLSTATE_MEANINGS)).toBe(told)
    expect(connectError(told, TARGET)).toBe(told)
  })
})
