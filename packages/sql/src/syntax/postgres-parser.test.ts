import assert from 'node:assert/strict'
import { expect, test, vi } from 'vitest'
import { parseCondition } from '../parse-condition.ts'
import { sql } from '../sql.ts'
import { refusalOf } from '../testing/refused.ts'

// First in this file: afterwards the parser is loaded.
test('the parser is loaded once, and not before a condition is wanted', async () => {
  // Node's types do not have it.
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { instantiate: (...source: unknown[]) => unknown } }
  const instantiate = vi.spyOn(WebAssembly, 'instantiate')
  const condition = sql`a = ${1}`
  assert.equal(instantiate.mock.calls.length, 0)
  await Promise.all([condition.toCondition(), parseCondition('b')])
  await condition.toCondition()
  assert.equal(instantiate.mock.calls.length, 1)
  instantiate.mockRestore()
})

test('long texts and many texts do not overwrite the parser’s memory', async () => {
  const long = 'x'.repeat(300_000)
  assert.deepEqual(await parseCondition(`a = '${long}'`), await parseCondition('a = $1', [long]))
  for (let count = 0; count < 3_000; count++) {
    const condition = await parseCondition(`status = 'paid' and total >= ${count} and ${'a = 1 and '.repeat(3)} b`)
    assert.ok(condition.kind === 'and' && condition.conditions.length === 6)
  }
})

test('a list may be long', async () => {
  const numbers = Array.from({ length: 20_000 }, (_, index) => -index)
  const condition = await parseCondition(`a in (${numbers.join(', ')})`)
  assert.ok(condition.kind === 'in')
  assert.deepEqual(
    condition.constants.map(({ text }) => text),
    numbers.map(String),
  )
})

test('what is too deep is refused before the parser’s stack overflows', async () => {
  const deep: Readonly<Record<string, (n: number) => string>> = {
    not: (n) => `${'not '.repeat(n)}a`,
    minus: (n) => `a = ${'- '.repeat(n)}1`,
    cast: (n) => `a = 1${'::int'.repeat(n)}`,
    plus: (n) => `a = 1${' + 1'.repeat(n)}`,
    parentheses: (n) => `${'(a and (b or '.repeat(n)}c${'))'.repeat(n)}`,
    functions: (n) => `${'f('.repeat(n)}a${')'.repeat(n)}`,
    arrays: (n) => `a = ${'array['.repeat(n)}1${']'.repeat(n)}`,
    cases: (n) => `${'case when a then '.repeat(n)}1${' end'.repeat(n)}`,
    windows: (n) => `${'f(a) over (partition by '.repeat(n)}1${')'.repeat(n)}`,
    words: (n) => `${'a or b and not ('.repeat(n)}c${')'.repeat(n)}`,
    'words after': (n) => `${'('.repeat(n)}a = 1${' and b) or c)'.repeat(n / 2)}`,
    'words and functions': (n) => `${'a or b and not f(a, '.repeat(n)}c${')'.repeat(n)}`,
    tests: (n) => `a${' is true'.repeat(n)}`,
    lists: (n) => `${'a in ('.repeat(n)}1${')'.repeat(n)}`,
  }
  for (const [name, text] of Object.entries(deep)) {
    // At the edge it is the parser that is tried, and past it the check before.
    for (let n = 40; n <= 300; n += 20) {
      const answer = await parseCondition(text(n)).then(
        () => 'accepted',
        (error: unknown) => String(error),
      )
      expect(answer, name).not.toMatch(/parser failed/u)
    }
    expect((await refusalOf(parseCondition(text(10_000)))).sentence, name).toMatch(/nested too deeply/u)
  }
  assert.deepEqual(await parseCondition('a'), { kind: 'boolean', column: 'a', test: 'value' })
})

test('a hundred parentheses are not too deep', async () => {
  const text = `${'('.repeat(100)}a = 1${' or b = 2)'.repeat(100)}`
  assert.equal((await parseCondition(text)).kind, 'or')
})
