import type { Plan } from '@rowtap/core'
import { expect, test } from 'vitest'
import { assertExecutedAsPlanned } from './executed-as-planned.ts'

function planOf(...statements: readonly string[]): Plan {
  return { driver: 'd', listeners: [], statements: statements.map((sql) => ({ sql, purpose: 'Why.', table: null })) }
}

const TRANSACTION = planOf('BEGIN', 'CREATE TABLE a ()', `INSERT INTO b VALUES (:n, 'x')`, 'COMMIT')

test.each([
  ['one message for each statement', ['BEGIN', 'CREATE TABLE a ()', `INSERT INTO b VALUES ('7', 'x')`, 'COMMIT']],
  ['one message for all', [`BEGIN;\nCREATE  TABLE a ();\nINSERT INTO b VALUES (7, 'x');\nCOMMIT;`]],
  [
    'reading, settings and upkeep in between',
    [
      'SELECT 1',
      'set x = 1',
      'BEGIN',
      'select 1',
      'delete from b',
      'commit',
      "BEGIN; CREATE TABLE a (); INSERT INTO b VALUES (7, 'x'); COMMIT",
    ],
  ],
])('what is planned is executed: %s', (_, executed) => {
  assertExecutedAsPlanned(TRANSACTION, executed)
})

test.each([
  ['a statement that is not planned', TRANSACTION, ['DROP TABLE c'], /executed, but not planned/],
  ['a statement that is not executed', TRANSACTION, ['BEGIN', 'CREATE TABLE a ()'], /planned, but not executed/],
  ['another order', planOf('CREATE TABLE a ()', 'CREATE TABLE b ()'), ['CREATE TABLE b ()'], /not planned/],
  ['another value', planOf('CREATE TABLE a ()'), ['CREATE TABLE ab ()'], /not planned/],
  [
    'a transaction that is not shown',
    planOf('CREATE TABLE a ()', 'CREATE TABLE b ()'),
    ['CREATE TABLE a (); CREATE TABLE b ()'],
    /a transaction that the plan does not show/,
  ],
  ['a setting of a transaction', planOf(), [`SET LOCAL lock_timeout = '1s'`], /not planned/],
  ['a transaction that does something', planOf(), ['BEGIN', 'CREATE TABLE a ()', 'COMMIT'], /not planned/],
])('it is told: %s', (_, plan, executed, message) => {
  expect(() => assertExecutedAsPlanned(plan, executed)).toThrow(message)
})
