import { expect, test } from 'vitest'
import { streamingFailed } from './streaming-failed.ts'

const refused = (sqlstate: string): Error =>
  Object.assign(new Error('could not map filenumber "base/5/16385" to relation OID'), {
    severity: 'ERROR',
    code: sqlstate,
  })

test('an internal error of the server may pass: it says what is done about it', () => {
  expect(streamingFailed(refused('XX000'))).toMatchObject({
    code: 'ERR_DATABASE',
    retryable: true,
    message: expect.stringMatching(/could not map filenumber.*after their commit/),
  })
})

test.each(['57P01', '42704', 'XX001'])('SQLSTATE %s is something else', (sqlstate) => {
  expect(streamingFailed(refused(sqlstate))).toBeNull()
})

test('so is an error that is not the server’s', () => {
  expect(streamingFailed(new Error('ECONNRESET'))).toBeNull()
})
