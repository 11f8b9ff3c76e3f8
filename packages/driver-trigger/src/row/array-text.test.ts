import { expect, test } from 'vitest'
import { mapArrayText } from './array-text.ts'

test.each([
  ['{}', '{}'],
  ['{a,b}', '{<a>,<b>}'],
  ['{a,NULL,"null"}', '{<a>,NULL,<null>}'],
  ['{{a,b},{c,d}}', '{{<a>,<b>},{<c>,<d>}}'],
  ['[0:1]={a,b}', '[0:1]={<a>,<b>}'],
  ['{"a b","c,d","\\"e\\\\"}', '{"<a b>","<c,d>","<\\"e\\\\>"}'],
])('the elements of %s', (text, expected) => {
  expect(mapArrayText(text, (element) => `<${element}>`)).toBe(expected)
})

test('what needs no quotes has none, and the other way round', () => {
  const names: Record<string, string> = { 'a.b': 'NULL', '"a b"': '', 'c d': 'cd' }
  expect(mapArrayText('{a.b,"\\"a b\\"","c d"}', (name) => names[name] ?? '?')).toBe('{"NULL","",cd}')
})
