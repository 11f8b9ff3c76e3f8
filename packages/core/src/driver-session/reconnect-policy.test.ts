import { RowtapError } from '../rowtap-error.ts'
import { describe, expect, test } from 'vitest'
import { delayMs, isWorthTrying, reconnectPolicy } from './reconnect-policy.ts'

const POLICY = { minDelayMs: 100, maxDelayMs: 1000, giveUpAfterMs: Infinity }

test.each([
  [1, 0, 0],
  [1, 1, 100],
  [2, 0, 50],
  [2, 1, 100],
  [3, 1, 200],
  [4, 0, 200],
  [5, 1, 800],
  [6, 1, 1000],
  [2000, 1, 1000],
])('attempt %i, by chance %f: %i ms', (attempt, random, expected) => {
  expect(delayMs(POLICY, attempt, random)).toBe(expected)
})

test('what is left out has its default, and false is none', () => {
  expect(reconnectPolicy('walDriver', { maxDelayMs: 1000 })).toEqual(POLICY)
  expect(reconnectPolicy('walDriver', undefined)).toMatchObject({ minDelayMs: 100, maxDelayMs: 10_000 })
  expect(reconnectPolicy('walDriver', { maxDelayMs: 50 })).toMatchObject({ minDelayMs: 50, maxDelayMs: 50 })
  expect(reconnectPolicy('walDriver', { minDelayMs: 20_000 })).toMatchObject({ minDelayMs: 20_000, maxDelayMs: 20_000 })
  expect(reconnectPolicy('walDriver', false)).toBeNull()
})

test.each([
  true,
  5,
  null,
  { minDelayMs: 2, maxDelayMs: 1 },
  { minDelayMs: Infinity },
  { minDelayMs: '1' },
  { maxDelayMs: -1 },
  { giveUpAfterMs: Number.NaN },
  { attempts: 3 },
])('refuses %j', (given) => {
  expect(() => reconnectPolicy('walDriver', given as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }),
  )
})

describe('trying again', () => {
  const error = (code: 'ERR_CONNECTION_LOST' | 'ERR_DATABASE' | 'ERR_SUBSCRIPTION_IN_USE', retryable: boolean) =>
    new RowtapError(code, { message: 'no', retryable })
  const refused = (sqlstate: string): RowtapError =>
    new RowtapError('ERR_DATABASE', {
      message: 'no',
      cause: Object.assign(new Error('no'), { severity: 'ERROR', code: sqlstate }),
    })

  test.each([
    [error('ERR_CONNECTION_LOST', true), true],
    [error('ERR_DATABASE', false), false],
    [error('ERR_SUBSCRIPTION_IN_USE', true), false],
    [refused('55006'), true],
    [refused('53100'), true],
    [refused('40P01'), true],
    [refused('57014'), true],
    [refused('42501'), false],
  ])('after %s: %s', (given, expected) => {
    expect(isWorthTrying(given, new Set(['55006']))).toBe(expected)
  })
})
