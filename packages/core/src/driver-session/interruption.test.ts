import { expect, test } from 'vitest'
import { Interruption } from './interruption.ts'

test('what is waited for fails when it happens, and what comes later fails at once', async () => {
  const interruption = new Interruption()
  const never = (): Promise<never> => new Promise(() => {})
  expect(await interruption.unless(() => Promise.resolve(1))).toBe(1)
  const waiting = interruption.unless(never)
  interruption.interrupt(new Error('first'))
  interruption.interrupt(new Error('second'))
  await expect(waiting).rejects.toThrow('first')
  await expect(interruption.unless(never)).rejects.toThrow('first')
})
