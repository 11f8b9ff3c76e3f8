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
  [
    '{"queueLimit":{"policy":"drop"}}',
    "'queueLimit.policy' 'drop' means nothing without 'changes', 'bytes' or 'unreadMs'",
  ],
  ['{"queueLimit":{"policy":"dropp","changes":5}}', "'queueLimit.policy' is 'keep' or 'drop'"],
  ['{"queueLimit":{"unreadMs":5}}', "'queueLimit.unreadMs' is a whole number of milliseconds, 1000 or more, not 5."],
  ['{"queueLimit":{"changes":0}}', "'queueLimit.changes' is a whole number, 1 or more, not 0."],
  ['{"queueLimit":{"bytes":"5GB"}}', `'queueLimit.bytes' is a whole number of bytes, 1 or more, not "5GB".`],
  ['{"leaseMs":"30000"}', `'leaseMs' is a number of milliseconds from 1000 to 86400000, not "30000".`],
  ['{"leaseMs":null}', "'leaseMs' is a number of milliseconds from 1000 to 86400000, not null."],
  ['{"pollIntervalMs":{"min":"5"}}', `'pollIntervalMs.min' is a number of milliseconds from 1 to 3600000, not "5".`],
  [
    '{"pollIntervalMs":{"min":50,"max":20}}',
    "'pollIntervalMs.max' is a number of milliseconds from 50 to 3600000, not 20.",
  ],
  ['{"livenessMs":5}', "'livenessMs' is a number of milliseconds from 100 to 86400000, not 5."],
  [
    '{"reconnect":{"minDelayMs":200,"maxDelayMs":100}}',
    "'reconnect.maxDelayMs' is a number of milliseconds from 200 to 86400000, not 100.",
  ],
  [
    '{"reconnect":{"giveUpAfterMs":"1000"}}',
    `'reconnect.giveUpAfterMs' is a number of milliseconds, 0 or more, not "1000".`,
  ],
  ['{"pooler":"session"}', "'pooler' is 'transaction', not \"session\"."],
  ['{"pushdown":"inserts"}', "'pushdown' is 'off' or 'conditions', not \"inserts\"."],
  ['{"enableAlways":"yes"}', `'enableAlways' is true or false, not "yes".`],
  ['5', 'takes an object of options, and not a number'],
])('refuses %s in a sentence', (json, sentence) => {
  const options = JSON.parse(json) as TriggerDriverOptions
  expect(() => triggerDriver(options)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTIONS', message: expect.stringContaining(sentence) }),
  )
})
