import { expect, test } from 'vitest'
import type { ReportedFile } from './vitest-report.ts'
import { countTests } from './vitest-report.ts'

function file(state: string, ...results: readonly (readonly [state: string, note?: string])[]): ReportedFile {
  const tests = results.map(([result, note]) => ({ result: () => ({ state: result, note }) }))
  return { state: () => state, children: { allTests: () => tests } }
}

test('tests are counted by what became of them, over all files', () => {
  expect(countTests([file('passed', ['passed'], ['passed']), file('failed', ['failed'], ['passed'])])).toEqual({
    passed: 3,
    failed: 1,
    skipped: {},
  })
  expect(countTests([])).toEqual({ passed: 0, failed: 0, skipped: {} })
})

test('skipped tests are counted by reason, those without one, too', () => {
  const files = [
    file('passed', ['skipped', 'no TLS'], ['skipped']),
    file('skipped', ['skipped', 'no TLS'], ['pending']),
  ]
  expect(countTests(files).skipped).toEqual({ 'no TLS': 2, 'no reason given': 2 })
})

test('a file that could not be run counts as one failure', () => {
  expect(countTests([file('failed'), file('failed', ['skipped', 'its hook failed'])])).toMatchObject({ failed: 2 })
})
