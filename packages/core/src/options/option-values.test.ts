import { expect, test } from 'vitest'
import { deliveryRequest } from './delivery-request.ts'

test.each([
  [{ onFailure: 'ignore' }, `'onFailure' is 'stop' or 'skip' or a function, not "ignore".`],
  [{ onFailure: 'skipp' }, `'onFailure' is 'stop' or 'skip' or a function, not "skipp". Did you mean "skip"?`],
  [{ ack: () => true }, `'ack' is 'auto' or 'manual', not a function.`],
  [{ concurrency: 2n }, `'concurrency' is a whole number greater than 0, not 2n.`],
  [{ concurrency: Number.NaN }, `'concurrency' is a whole number greater than 0, not NaN.`],
  [{ retry: { attempt: 2 } }, `'retry' has no option "attempt". Did you mean "attempts"?`],
  [{ retry: { x: 2 } }, `'retry' has no option "x". Its options are attempts, minDelayMs, maxDelayMs.`],
  [{ retry: 5 }, `'retry' takes an object of options, and not a number.`],
])('%o', (options, sentence) => {
  expect(() => deliveryRequest(options)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining(sentence) }),
  )
})
