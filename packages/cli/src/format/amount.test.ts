import { expect, test } from 'vitest'

import { bytesText, durationText } from './amount.ts'

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1536, '1.5 kB'],
  [16 * 1024 ** 2, '16 MB'],
  [1.25 * 1024 ** 3, '1.3 GB'],
  [5000 * 1024 ** 4, '5000 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test.each([
  [0, '0 s'],
  [-1, '0 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7199, '119 min'],
  [3 * 3600 + 5, '3 h'],
  [2 * 86_400, '2 d'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text)
})
