import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HandledLogReader } from './handled-log-reader.ts'
import type { LogLine } from './handled-log.ts'
import { HandledLog } from './handled-log.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rowtap-log-'))
})
afterEach(() => rm(directory, { recursive: true }))

function gap(reason: string): LogLine {
  return { kind: 'gap', reason }
}

test('a line is in the file when its promise resolves, with all before it', async () => {
  const path = join(directory, 'log')
  const log = await HandledLog.create(path)
  const lines = Array.from({ length: 100 }, (_, index) => gap(`ä ${index}`))
  const [first, ...rest] = lines.map((line) => log.append(line))
  await first
  expect(await readFile(path, 'utf8')).toContain('ä 0')
  await rest.at(-1)
  expect((await readFile(path, 'utf8')).split('\n').slice(0, -1)).toEqual(lines.map((line) => JSON.stringify(line)))
  await log.close()
})

test('a log is read while it is written, and a line that a killed process left unfinished is none', async () => {
  const path = join(directory, 'log')
  const reader = new HandledLogReader(path)
  expect(await reader.read()).toEqual([])
  const whole = Buffer.from(`${JSON.stringify(gap('ä 1'))}\n${JSON.stringify(gap('ä 2'))}\n`)
  const middle = whole.indexOf('ä') + 1
  await appendFile(path, whole.subarray(0, middle))
  expect(await reader.read()).toEqual([])
  await appendFile(path, whole.subarray(middle, -1))
  expect(await reader.read()).toEqual([gap('ä 1')])
  await appendFile(path, whole.subarray(-1))
  expect(await Promise.all([reader.read(), reader.read()])).toEqual([[gap('ä 2')], []])
  await appendFile(path, '{"kind":"gap","rea')
  expect(await reader.read()).toEqual([])
  await reader.close()
})
