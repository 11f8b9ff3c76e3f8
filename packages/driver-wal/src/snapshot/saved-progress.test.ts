import { expect, test } from 'vitest'
import { keptText, parseKept } from './saved-progress.ts'

test('what was kept is read again', () => {
  const since = new Map([
    [16401, 'abcdefgh'],
    [16402, null],
  ])
  const text = '{"version":1,\n"snapshots":[]}'
  expect(parseKept(keptText({ since, text }))).toEqual({ since, text })
})

test.each(['', 'our orders', '{"version":1,"snapshots":[]}', '{"version":1}\nmore', 'odd\nmore'])(
  'what says nothing of what it depends on is taken as it is: %j',
  (text) => {
    expect(parseKept(text)).toEqual({ since: new Map(), text })
  },
)
