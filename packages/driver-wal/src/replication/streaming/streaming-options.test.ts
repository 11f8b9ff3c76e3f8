import { RowtapError } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { walDriver } from '../../wal-driver.ts'
import type { WalDriverOptions } from '../../wal-driver-options.ts'
import { openTransactionsOptions } from './streaming-options.ts'

test.each<[string, WalDriverOptions]>([
  ["streaming: 'on'", { spillDirectory: '/var/tmp' }],
  ["streaming: 'on'", { streaming: 'off', streamingBufferBytes: 1 }],
  ['streamingBufferBytes', { streaming: 'on', streamingBufferBytes: -1 }],
  ['streamingBufferBytes', { streaming: 'on', streamingBufferBytes: 1.5 }],
  ['spillDirectory', { streaming: 'on', spillDirectory: '' }],
])('a value that an option cannot have is refused before anything is connected: %s', (named, options) => {
  expect(() => walDriver(options)).toThrow(RowtapError)
  expect(() => walDriver(options)).toThrow(named)
})

test('open transactions are kept where the server is asked for them', () => {
  expect(openTransactionsOptions({})).toBeNull()
  expect(openTransactionsOptions({ streaming: 'off' })).toBeNull()
  expect(openTransactionsOptions({ streaming: 'on' })).toMatchObject({ bufferBytes: 64 * 1024 * 1024 })
})
