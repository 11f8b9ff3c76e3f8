import { expect, test } from 'vitest'
import { walCapabilities } from './wal-capabilities.ts'
import { walDriver } from './wal-driver.ts'
import type { WalDriverOptions } from './wal-driver-options.ts'

test('connects to nothing before it is opened', () => {
  const driver = walDriver({ connection: 'postgres://nobody@127.0.0.1:1/none' })
  expect(driver).toMatchObject({ specification: 1, name: 'wal' })
  expect(driver.capabilities).toBe(walCapabilities)
})

test('may leave the connection to the environment', () => {
  expect(walDriver().name).toBe('wal')
})

test.each(['{"connection":null}', '{"connection":5432}'])('refuses %s', (json) => {
  const options = JSON.parse(json) as WalDriverOptions
  expect(() => walDriver(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }))
})
