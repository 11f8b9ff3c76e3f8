import { RowtapError } from '@rowtap/core/driver'
import { describe, expect, test } from 'vitest'
import { CompositeTuple } from './composite-tuple.ts'

function read(literal: string, count: number): (string | null | undefined)[] {
  const fields = Array.from({ length: count }, (_, index) => index)
  const tuple = new CompositeTuple(literal, fields, count)
  return fields.map((index) => tuple.text(index))
}

describe('a row as record_out prints it', () => {
  test.each<[string, (string | null)[]]>([
    ['(1)', ['1']],
    ['()', [null]],
    ['(,)', [null, null]],
    ['("",)', ['', null]],
    ['(1,abc,)', ['1', 'abc', null]],
    ['("a,b","(c)")', ['a,b', '(c)']],
    ['("say ""hi""",x)', ['say "hi"', 'x']],
    ['("""","""""")', ['"', '""']],
    ['("\\\\N","\\\\\\\\")', ['\\N', '\\\\']],
    ['("\\\\""","""\\\\")', ['\\"', '"\\']],
    ['(" ","\n\t")', [' ', '\n\t']],
    ['("{""a"": [1, 2]}","{""x,y"",NULL}")', ['{"a": [1, 2]}', '{"x,y",NULL}']],
    ['("(1,""a """"b"""""")",t)', ['(1,"a ""b""")', 't']],
    ['(日本,"é ")', ['日本', 'é ']],
  ])('%s', (literal, expected) => {
    expect(read(literal, expected.length)).toEqual(expected)
  })

  test.each(['"', '\\', 'a"', 'a\\', 'ab"\\', '"\\', 'abc'])('a large field of %s, from every place on', (unit) => {
    for (const before of ['', 'x', 'xy', 'xyz']) {
      const value = before + unit.repeat(100_000)
      const literal = `("${value.replaceAll('\\', '\\\\').replaceAll('"', '""')}",1)`
      expect(read(literal, 2)[0] === value).toBe(true)
    }
  })

  test('fields can be read in any order, again and again, and some never', () => {
    const tuple = new CompositeTuple('(a,"b,b",,d)', [0, 1, 2, 3], 4)
    expect([tuple.text(2), tuple.text(0), tuple.text(1), tuple.text(2)]).toEqual([null, 'a', 'b,b', null])
  })

  test('a column is looked up by its field: some fields are no columns', () => {
    const tuple = new CompositeTuple('(a,,c)', [0, 2], 3)
    expect([tuple.text(0), tuple.text(1), tuple.text(2)]).toEqual(['a', 'c', undefined])
  })

  test.each([
    ['too few fields', '(a,b)', 3],
    ['too many fields', '(a,b,c)', 2],
    ['an open quote', '("a,b', 2],
    ['something after a closing quote', '("a"b,c)', 2],
  ])('%s are not guessed at', (_, literal, count) => {
    expect(() => read(literal, count)).toThrow(
      expect.toSatisfy((error: unknown) => RowtapError.is(error, 'ERR_DECODE')),
    )
  })
})
