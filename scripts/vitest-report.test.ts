import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readVitestReport } from './vitest-report.ts'

const passing = { status: 'passed', assertionResults: [{ status: 'passed' }] }
const failing = { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] }
const broken = { status: 'failed', assertionResults: [] }

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rowtap-report-'))
})
afterAll(async () => {
  await rm(directory, { recursive: true })
})

async function read(report: unknown): Promise<unknown> {
  const path = join(directory, 'report.json')
  await writeFile(path, JSON.stringify(report))
  return readVitestReport(path)
}

function numbers(total: number, passed: number, failed: number, skipped: number): Record<string, number> {
  return {
    numTotalTests: total,
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
    numTodoTests: 0,
  }
}

describe('the numbers of the last line', () => {
  test('are those of the report', async () => {
    const report = { ...numbers(4, 2, 1, 1), testResults: [passing, failing] }
    expect(await read(report)).toEqual({ passed: 2, failed: 1, skipped: 1 })
  })

  test('count a file that could not be run as one failure', async () => {
    const report = { ...numbers(1, 1, 0, 0), testResults: [passing, broken] }
    expect(await read(report)).toEqual({ passed: 1, failed: 1, skipped: 0 })
  })

  test('are not taken from a report that does not add up, or that is none', async () => {
    await expect(read({ ...numbers(4, 2, 1, 0), testResults: [] })).rejects.toThrow('4 tests')
    await expect(read({})).rejects.toThrow('numTotalTests')
    await expect(read({ ...numbers(0, 0, 0, 0) })).rejects.toThrow('testResults')
  })
})
