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

test.each([
  ['{"conection":"postgres://db/shop"}', 'walDriver() has no option "conection". Did you mean "connection"?'],
  ['{"connection":"hello"}', 'does not begin with postgres://'],
  ['{"connection":{"connectionString":"hello"}}', 'does not begin with postgres://'],
  ['{"connection":"host=db dbname=shop password=secret"}', 'does not begin with postgres://'],
  ['{"connection":[]}', 'and not a list'],
  ['{"types":5}', 'types must be an object with the function getTypeParser'],
  ['{"types":null}', 'types must be an object with the function getTypeParser'],
  ['{"livenessMs":5}', "'livenessMs' is a number of milliseconds from 100 to 86400000, not 5."],
  ['{"livenessMs":"5000"}', `'livenessMs' is a number of milliseconds from 100 to 86400000, not "5000".`],
  [
    '{"reconnect":{"minDelayMs":200,"maxDelayMs":100}}',
    "'reconnect.maxDelayMs' is a number of milliseconds from 200 to 86400000, not 100.",
  ],
  ['{"failover":"yes"}', `'failover' is true or false, not "yes".`],
  ['{"replicaIdentity":"default"}', `'replicaIdentity' is 'full', not "default".`],
  ['{"pushdown":"conditions"}', `'pushdown' is 'off' or 'inserts', not "conditions".`],
  ['{"streaming":true}', "'streaming' is 'off' or 'on', not true."],
  [
    '{"streaming":"on","streamingBufferBytes":-1}',
    "'streamingBufferBytes' is a whole number of bytes, 0 or more, not -1.",
  ],
  ['"postgres://db/shop"', 'takes an object of options, and not a string'],
])('refuses %s in a sentence', (json, sentence) => {
  const options = JSON.parse(json) as WalDriverOptions
  expect(() => walDriver(options)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining(sentence) }),
  )
  expect(() => walDriver(options)).not.toThrow('secret')
})

test.each(['postgres://db/shop', 'postgresql://db/shop', '/var/run/postgresql shop', ''])('takes %o', (connection) => {
  expect(walDriver({ connection }).name).toBe('wal')
})

test.each(['{"connection":null}', '{"connection":5432}', '{"replicaIdentity":"default"}'])('refuses %s', (json) => {
  const options = JSON.parse(json) as WalDriverOptions
  expect(() => walDriver(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTIONS' }))
})
