import { RowtapError } from '@rowtap/core'
import { CommanderError } from 'commander'
import { expect, test } from 'vitest'

import { describeFailure, traceOf } from './describe-failure.ts'
import { UsageError } from './usage-error.ts'

test('a wrong command line is 2', () => {
  expect(describeFailure(new UsageError('--limit takes a number'))).toEqual({
    exitCode: 2,
    sentence: 'rowtap: --limit takes a number',
  })
  const unknown = new CommanderError(
    1,
    'commander.unknownOption',
    "error: unknown option '--ur'\n(Did you mean --url?)",
  )
  expect(describeFailure(unknown)).toEqual({
    exitCode: 2,
    sentence: "rowtap: unknown option '--ur' (Did you mean --url?)",
  })
})

test('anything else is 1, with its code where it has one', () => {
  const setup = new RowtapError('ERR_SETUP_REQUIRED', { message: 'Run this:\n  ALTER SYSTEM SET wal_level = logical;' })
  expect(describeFailure(setup)).toEqual({
    exitCode: 1,
    sentence: 'rowtap: ERR_SETUP_REQUIRED: Run this: ALTER SYSTEM SET wal_level = logical;',
  })
  expect(describeFailure(new Error('disk full'))).toEqual({ exitCode: 1, sentence: 'rowtap: disk full' })
  expect(describeFailure('odd')).toEqual({ exitCode: 1, sentence: 'rowtap: odd' })
})

test('an error without a message of its own is told by what it holds', () => {
  expect(describeFailure(new AggregateError([new Error('one'), new Error('two')])).sentence).toBe('rowtap: one; two')
  expect(describeFailure(new TypeError('')).sentence).toBe('rowtap: TypeError')
})

test('what went wrong first is told, not what went wrong in cleaning up after it', async () => {
  const block = async (): Promise<void> => {
    await using _ = { [Symbol.asyncDispose]: () => Promise.reject(new Error('cleaning up')) }
    throw new Error('the block')
  }
  const error: unknown = await block().catch((reason: unknown) => reason)
  expect(describeFailure(error).sentence).toBe('rowtap: the block')
  expect(traceOf(error)).toMatch(/^Error: the block[^]*then, while cleaning up: Error: cleaning up/)
})

test('the trace shows each cause once', () => {
  const inner = new Error('inner')
  const outer = new Error('outer', { cause: inner })
  inner.cause = outer
  expect(traceOf(outer).match(/^Error: |^caused by: Error: /gm)).toHaveLength(2)
})

test('a message that points at a place in a condition keeps the text and its mark', () => {
  const message = 'A condition cannot contain a subquery: it is about one row.\nid in (select 1)\n      ^'
  expect(describeFailure(new RowtapError('ERR_INVALID_OPTIONS', { message })).sentence).toBe(
    `rowtap: ERR_INVALID_OPTIONS: ${message}`,
  )
})

test.each([
  [
    `Run: ALTER TABLE t — or set transitions to 'idempotent', or listen to the operations 'insert' and 'truncate' only.`,
    '--transitions idempotent, or --on insert,truncate',
  ],
  [`A way out: set transitions to 'idempotent' to get every update.`, '--transitions idempotent'],
  [`A way out: listen without the operation 'update'.`, '--on insert,delete,truncate'],
  [
    `Connect with onPositionLost: 'restart' to begin anew from now on.`,
    'rowtap uninstall --subscription NAME, and then the same again',
  ],
])('where a message names options of the API, a second line names the command’s: %s', (message, flags) => {
  expect(describeFailure(new RowtapError('ERR_SETUP_REQUIRED', { message })).sentence).toBe(
    `rowtap: ERR_SETUP_REQUIRED: ${message}\nOn the command line: ${flags}`,
  )
})
