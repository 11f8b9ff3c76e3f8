import { existsSync } from 'node:fs'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RowtapError } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { openIn, SpillFile } from './spill-file.ts'

async function refusal(attempt: Promise<unknown>): Promise<RowtapError> {
  const error: unknown = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (RowtapError.is(error, 'ERR_STORAGE')) return error
  throw new Error('It did not fail with ERR_STORAGE.')
}

test('leaves no name in its directory, so that nothing is left of it after a crash', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rowtap-test-'))
  try {
    const file = await SpillFile.open(openIn(directory))
    await file.append(Buffer.from('one'))
    expect(await readdir(directory)).toEqual([])
    await file.append(Buffer.from('two'))
    expect(String(await file.next(4))).toBe('onet')
    expect(String(await file.next(4))).toBe('wo')
    expect(await file.next(4)).toBeNull()
    await file.close()
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('says which directory, and what to do, where no file can be made', async () => {
  const error = await refusal(SpillFile.open(openIn(join(tmpdir(), 'there is no such directory'))))
  expect(error.message).toMatch(/could not be made .*no such directory.*spillDirectory/)
})

// The device is always full.
test.skipIf(!existsSync('/dev/full'))('says what to do where the disk is full', async () => {
  const file = await SpillFile.open(() => open('/dev/full', 'r+'))
  const error = await refusal(file.append(Buffer.alloc(100)))
  expect(error.message).toMatch(/could not be written .*ENOSPC.*spillDirectory.*with a subscription it comes again/)
  expect(error.cause).toMatchObject({ code: 'ENOSPC' })
  await file.close()
})
