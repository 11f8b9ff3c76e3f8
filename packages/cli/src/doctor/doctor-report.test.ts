import { expect, test } from 'vitest'

import type { Check } from './check.ts'
import { doctorReport } from './doctor-report.ts'

const CHECK: Check = {
  driver: 'wal',
  level: 'problem',
  subject: 'server',
  sentence: 'wal_level is replica.',
  statements: [`ALTER SYSTEM SET wal_level = 'logical'`],
}
const plain = (text: string): string => text
const colors = { bold: plain, dim: plain, cyan: plain, green: plain, yellow: plain, red: plain }

test('the report ends with how much is not right, unless that is said elsewhere', () => {
  const lines = (hasSummary: boolean): readonly string[] =>
    doctorReport([CHECK], { wal: ['Something.'] }, { colors, hasSummary }).split('\n')
  expect(lines(true)).toEqual([...lines(false), '', '1 problem, 0 warnings'])
  expect(lines(false).at(-1)).toBe('  unseen   Something.')
})
