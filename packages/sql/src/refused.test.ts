import { conditionOf } from '@rowtap/core'
import { displayWidth } from '@rowtap/core/conditions'
import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { parseCondition } from './parse-condition.ts'
import { SAMPLE_COLUMNS } from './testing/column-samples.ts'
import { refusalOf } from './testing/refused.ts'

/** A `^` before the place that the error points at. */
const TABLE: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  'what is not SQL': {
    'a = ^': /^The condition is not valid SQL: syntax error at end of input\.$/u,
    'a ^1': /syntax error at or near "1"/u,
    "a = ^'x": /unterminated quoted string/u,
    '^/* a': /unterminated \/\* comment/u,
    "'😀é' = a and ^= b": /syntax error at or near "="/u,
    'a = 1 ^b': /syntax error at or near "b"/u,
    'a = b ^= c': /syntax error/u,
    'a = ^\0': /NUL/u,
    'a = ^\ud800': /surrogate/u,
  },
  'an empty text': {
    '^': /^The condition is empty/u,
    '^  -- a': /^The condition is empty/u,
  },
  'more than what follows WHERE': {
    '^where a = 1': /^A condition is what follows WHERE: leave out the word WHERE\.$/u,
    '/* é */ ^WHERE a = 1': /leave out the word WHERE/u,
    '^select * from t where a = 1': /^SELECT cannot stand .*write only what follows WHERE\.$/u,
  },
  'what has a way out': {
    "^doc::jsonb = '1'": /compare the column itself\. Compare a generated column .* in the handler\.$/u,
    "doc ^->> 'a' = 'x'": /Compare a generated column/u,
    "^lower(a) = 'x'": /Compare a generated column/u,
    'a in (^select 1)': /Bind the values instead/u,
    'a = (b ^= 1)': /combine comparisons with AND, OR and NOT/u,
    'a = ^"x"': /not with another column: write a text in 'single quotes'/u,
  },
  'what would break out of the statement around it': {
    '1=1^) or (1=1': /syntax error at or near "\)"/u,
    'true ^where false': /syntax error at or near "where"/u,
    'a = 1^; drop table b': /nothing may follow/u,
    'a = 1^;': /nothing may follow/u,
    'a = 1 ^union select 1': /^UNION cannot stand in a condition/u,
    'a = 1 ^order by 1': /nothing may follow/u,
    'a = 1 ^group by a': /nothing may follow/u,
    'a = 1 ^limit 1': /nothing may follow/u,
    'a = 1 ^for update': /nothing may follow/u,
    'a = 1 ^for read only': /nothing may follow/u,
    'a = 1 ^window w as ()': /nothing may follow/u,
    'a = 1 ^into b': /syntax error/u,
    'a = 1^, b': /syntax error/u,
    '^select a': /^SELECT cannot stand/u,
    '^all a': /syntax error/u,
    'a = 1^) --': /syntax error/u,
  },
  'other relations': {
    'a in (^select 1)': /subquery/u,
    'exists (^select 1)': /subquery/u,
    'a = any (^select 1)': /subquery/u,
    'a ^in (values (1))': /subquery/u,
    'a = 1 and ^orders.b = 2': /without a table before it \(b\)/u,
    '^public.orders.b = 2': /without a table/u,
    '^t.*': /name a column/u,
    '^*': /syntax error/u,
  },
  'what computes': {
    "^lower(a) = 'x'": /function \(lower\)/u,
    'a = ^now()': /function \(now\)/u,
    'a = ^pg_catalog.random()': /function \(pg_catalog\.random\)/u,
    '^count(*) > 1': /function \(count\)/u,
    '^sum(a) over () = 1': /function \(sum\)/u,
    'a = ^current_date': /This word is a function/u,
    '^coalesce(a, 1) = 1': /COALESCE/u,
    '^greatest(a, 1) = 1': /GREATEST/u,
    '^nullif(a, 1) = 1': /NULLIF/u,
    '^case when a then b end': /CASE/u,
    'a ^+ 1 = 2': /operator \+/u,
    'a = 1 ^+ 1': /operator \+/u,
    'a = ^- b': /operator -/u,
    "a ^~ 'x'": /operator ~/u,
    "a ^-> 'x' = '1'": /operator ->/u,
    'a ^operator(pg_catalog.=) 1': /operator pg_catalog\.=/u,
    "a ^similar to 'x'": /SIMILAR TO/u,
    "^a at time zone 'utc' = 'x'": /AT TIME ZONE/u,
    '^a collate "C" = \'x\'': /COLLATE/u,
    'a = ^b[1]': /a subscript/u,
    '(^a).b = 1': /a subscript or a field/u,
    '^a is json': /IS JSON/u,
    '^a is document': /XML/u,
    'a = ^default': /DEFAULT/u,
    '(a ^= 1) is true': /cannot be compared again/u,
    '(a ^= 1) = true': /cannot be compared again/u,
    '(^a and b) = true': /cannot be an operand/u,
  },
  'what is compared with the wrong thing': {
    'a = ^b': /not with another column/u,
    'a between 1 and ^b': /not with another column/u,
    'a in (1, ^b)': /A column stands here/u,
    '^1 = 1': /two constants/u,
    '^1 in (a, b)': /belongs on its left/u,
    "'x' like ^a": /on the left of LIKE/u,
    'a like ^5': /in quotes/u,
    'a like ^true': /in quotes/u,
    "a like 'x' escape ^'!!'": /one character/u,
    '^5': /no condition by itself/u,
    "^'t'": /no condition by itself/u,
    '^true is true': /not about a constant/u,
    '^(a, b) = (1, 2)': /compare rows/u,
    'a = ^row(1)': /compare rows/u,
    'a = ^array[1]': /An array can stand only/u,
    "a = any (^'{1}')": /a list that is bound/u,
    'a = any (^b)': /not a column/u,
    "a = any (array[^'x'])": /not known to be text/u,
    "a = any (array[1, ^'x'])": /numbers only/u,
    'a = any (^array[])': /empty array/u,
    "a = ^B'101'": /'101'/u,
  },
  'comparisons with NULL, which are true of no row': {
    'a = ^NULL': /^A comparison with NULL is true of no row: ask with IS NULL, or with IS NOT DISTINCT FROM/u,
    'a != ^NULL': /ask with IS NOT NULL, or with IS DISTINCT FROM/u,
    '^null = a': /ask with IS NULL/u,
    'a = ^null::int': /ask with IS NULL/u,
    'a < ^NULL': /is true of no row: leave it out/u,
    'a like ^null': /leave it out/u,
    "a like 'x' escape ^null": /leave it out/u,
    'b = 1 or not a >= ^null': /leave it out/u,
    'a not in (1, ^null)': /^NOT IN with a NULL among its values is true of no row: leave NULL out/u,
    'a <> all (array[1, ^null])': /with a NULL among its values/u,
    'a > all (array[1, ^null])': /with a NULL among its values/u,
    'a in (^null, null)': /ask with IS NULL/u,
    'a > any (array[^null]::int[])': /is true of no row/u,
    'a = any (^null)': /is true of no row/u,
    'a between 1 and ^null': /leave it out/u,
    'a not between ^null and null': /leave it out/u,
    'a not between symmetric ^null and 5': /leave it out/u,
    '^null between a and b': /leave it out/u,
  },
  'what is written as in another language': {
    'a ^== 1': /^A condition cannot use the operator ==: equality is =\./u,
    'a ^=== 1': /equality is =/u,
    'a = 1 && b ^= 2': /syntax error.* Instead of &&: conditions are joined by AND\.$/u,
    'a ^&& b': /joined by AND/u,
    'a ^|| b': /joined by OR/u,
    '^! a': /contrary of a condition is NOT\.$/u,
    'a > ^2024-01-01': /^A condition computes nothing.*a date in quotes: '2024-01-01'\./u,
    'a between ^2024-1-2 and 5': /in quotes: '2024-1-2'/u,
    "'a' = any (^tags)": /^A condition cannot ask what an array column holds/u,
  },
  'casts that cannot be honoured': {
    "^a::date = 'x'": /cast a column/u,
    "a = 'x'::^date": /^The cast to date cannot be honoured: the types of the columns are not known here/u,
    "a = ^date '2024-01-01'": /The cast to date/u,
    "a = 'x'::^varchar(3)": /a length or precision/u,
    "a = '1 day'::^interval day": /a length or precision/u,
    'a = 1.5::^int': /not written as one/u,
    'a = 40000::^smallint': /not written as one/u,
    "a = 'x'::^float8": /not written as one/u,
    "a = '{1}'::^int[]": /leave it out/u,
    'a = true::^int': /not written as one/u,
  },
  'values that are not there': {
    'a = ^$1':
      /^There is no value for \$1: write the constant itself, or give the value \(parseCondition\(text, values\)\)\.$/u,
    'a = ^$0': /There is no value for \$0/u,
  },
}

for (const [group, cases] of Object.entries(TABLE)) {
  describe(`SQL text: ${group}`, () => {
    test.each(Object.entries(cases))('%s', async (marked, sentence) => {
      const at = marked.indexOf('^')
      const text = marked.slice(0, at) + marked.slice(at + 1)
      const refusal = await refusalOf(parseCondition(text))
      expect(refusal.sentence).toMatch(sentence)
      const shownAt = Array.from(text.slice(0, at)).length
      assert.equal(refusal.caret, `  ${' '.repeat(displayWidth(text.slice(0, at)))}^`)
      assert.equal(refusal.line, `  ${text.replaceAll(/\s/gu, ' ')}`.trimEnd().padEnd(2))
      assert.deepEqual(refusal.cause, { text, offset: at, line: 1, column: shownAt + 1 })
    })
  })
}

describe('with the columns known', () => {
  test.each([
    ["t = 'x'::date", /^The cast to date cannot be honoured: the column "t" is of the type text\./u],
    ["c = 'x'::text", /the column "c" is of the type bpchar/u],
    ["nothing = 'x'::date", /no column "nothing"/u],
    ["d = any (array['2024-01-01'])", /not known to be text/u],
    ["b = 't'::text", /the column "b" is of the type bool/u],
    ['d = 5::date', /in quotes/u],
  ])('%s', async (text, sentence) => {
    expect((await refusalOf(parseCondition(text, [], SAMPLE_COLUMNS))).sentence).toMatch(sentence)
  })
})

test('the caret is under its place, however wide the characters before it are', async () => {
  const refusal = await refusalOf(parseCondition("名前 = '😀e\u0301ｘ' and f(a)"))
  assert.equal(refusal.caret, `  ${' '.repeat(4 + 4 + 2 + 1 + 2 + 1 + 5)}^`)
  expect(refusal.cause).toMatchObject({ column: 17 })
})

test('of several lines the one with the place is shown', async () => {
  const refusal = await refusalOf(parseCondition('é = 1\n\tand f(a) = 2\n  and b'))
  assert.equal(refusal.line, '   and f(a) = 2')
  assert.equal(refusal.caret, '       ^')
  assert.deepEqual(refusal.cause, { text: 'é = 1\n\tand f(a) = 2\n  and b', offset: 11, line: 2, column: 6 })
})

test('of a long line a part is shown', async () => {
  const text = `${'a = 1 and '.repeat(40)}f(a) = 2${' and a = 1'.repeat(40)}`
  const refusal = await refusalOf(parseCondition(text))
  assert.equal(refusal.line.length, 2 + 1 + 60 + 60 + 1)
  assert.equal(refusal.line.slice(refusal.caret.indexOf('^')).slice(0, 4), 'f(a)')
})

describe('a condition that is nested deeply', () => {
  const shapes: Readonly<Record<string, (levels: number) => string>> = {
    'NOT alone': (levels) => `${'not '.repeat(levels)}a is null`,
    'NOT and parentheses': (levels) => `${'not ('.repeat(levels)}a is null${')'.repeat(levels)}`,
    'AND in parentheses': (levels) => `${'b and ('.repeat(levels)}a between 1 and 2${')'.repeat(levels)}`,
    'parentheses before AND and OR': (levels) => {
      const words = Array.from({ length: levels }, (_, level) => (level % 2 === 0 ? ' and b)' : ' or b)'))
      return `${'('.repeat(levels)}a = -1${words.join('')}`
    },
    'OR of AND of NOT': (levels) => {
      const times = Math.floor((levels - 1) / 3)
      const outer = ['not', 'c and not', 'b or c and not'][(levels - 1) % 3] ?? ''
      return `${outer} (${'b or c and not ('.repeat(times)}a = 1${')'.repeat(times + 1)}`
    },
  }
  test.each(Object.entries(shapes))('%s: 200 levels and no more', async (_, text) => {
    const condition = await parseCondition(text(200))
    expect(() => conditionOf(condition)).not.toThrow()
    expect((await refusalOf(parseCondition(text(201)))).sentence).toMatch(
      /nested too deeply: it has more than 200 levels/u,
    )
  })

  test('parentheses by themselves are no levels: 500 and no more', async () => {
    const text = (count: number): string => `${'('.repeat(count)}a is null${')'.repeat(count)}`
    expect(await parseCondition(text(500))).toEqual({ kind: 'null', column: 'a', negated: false })
    expect((await refusalOf(parseCondition(text(501)))).sentence).toMatch(/nested too deeply: .*500 parentheses/u)
  })

  test('far beyond it is refused before it is parsed', async () => {
    for (const text of Object.values(shapes)) {
      expect((await refusalOf(parseCondition(text(20_000)))).sentence).toMatch(/nested too deeply/u)
    }
  })
})

test.each([[5], [null], [undefined], [{ text: 'a = 1' }]])('%o is no text', async (text) => {
  // @ts-expect-error: a caller without types
  const parsing: Promise<unknown> = parseCondition(text)
  await expect(parsing).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTIONS',
    message: expect.stringMatching(/^parseCondition\(\) takes a text, and not /u),
  })
})

test('values and columns are lists', async () => {
  // @ts-expect-error: a caller without types
  await expect(parseCondition('a = $1', 5)).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTIONS',
    message: expect.stringContaining('a list of values'),
  })
  // @ts-expect-error: a caller without types
  await expect(parseCondition('a = 1', [], 5)).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTIONS',
    message: expect.stringContaining('a list of columns'),
  })
})
