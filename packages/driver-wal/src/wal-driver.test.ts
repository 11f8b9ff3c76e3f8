import { expect, test } from 'vitest'
import { walCapabilities } from './wal-capabilities.ts'
import { walDriver } from './wal-driver.ts'

test('connects to nothing before it is opened', () => {
  const driver = walDriver({ connection: 'postgres://nobody@127.0.0.1:1/none' })
  expect(driver).toMatchObject({ specification: 1, name: 'wal' })
  expect(driver.capabilities).toBe(walCapabilities)
})

test('refuses to be made without a connection', () => {
  const options: { connection: string } = JSON.parse('{}') as { connection: string }
  expect(() => walDriver(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }))
})
