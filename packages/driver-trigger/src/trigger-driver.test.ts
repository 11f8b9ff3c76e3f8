import { expect, test } from 'vitest'
import { triggerDriver } from './trigger-driver.ts'
import type { TriggerDriverOptions } from './trigger-options.ts'

test.each([
  ['{"conection":"postgres://db/shop"}', 'triggerDriver() has no option "conection". Did you mean "connection"?'],
  ['{"connection":"hello"}', 'does not begin with postgres://'],
  ['{"connection":5432}', 'and not a number'],
  ['{"pollIntervalMs":{"mim":5}}', 'no option "mim". Did you mean "min"?'],
  ['{"types":5}', 'types must be an object with the function getTypeParser'],
  ['{"types":null}', 'types must be an object with the function getTypeParser'],
  ['{"schema":5}', 'schema must have 1 to 50 bytes'],
  ['{"pollIntervalMs":5}', 'takes an object of options, and not a number'],
  ['5', 'takes an object of options, and not a number'],
])('refuses %s in a sentence', (json, sentence) => {
  const options = JSON.parse(json) as TriggerDriverOptions
  expect(() => triggerDriver(options)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining(sentence) }),
  )
})
