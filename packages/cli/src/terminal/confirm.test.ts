import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'

import { confirm } from './confirm.ts'

interface Asked {
  readonly input: PassThrough
  readonly output: PassThrough
  readonly controller: AbortController
  readonly answer: Promise<boolean>
}

function asked(): Asked {
  const input = new PassThrough()
  const output = new PassThrough()
  const controller = new AbortController()
  return { input, output, controller, answer: confirm('Sure? ', { input, output, signal: controller.signal }) }
}

test.each([
  ['y\n', true],
  ['YES\n', true],
  [' yes \n', true],
  ['\n', false],
  ['no\n', false],
  ['yesterday\n', false],
])('the answer %j is %s', async (text, expected) => {
  const { input, output, answer } = asked()
  input.write(text)
  expect(await answer).toBe(expected)
  expect(String(output.read())).toBe('Sure? ')
})

test('no answer is a no', async () => {
  const { input, answer } = asked()
  input.end()
  expect(await answer).toBe(false)
})

test('an interruption is a no', async () => {
  const { controller, answer } = asked()
  controller.abort()
  expect(await answer).toBe(false)
})
