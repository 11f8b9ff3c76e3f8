import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { Tuple } from '../contract/relation.ts'
import { textRelation } from '../testing/scripted-driver.ts'
import { rowDecoder } from './row-decoder.ts'

const names = ['id', '__proto__', 'constructor', "it's", 'a "b"', '1', 'new\nline', '${x}', '\u2028', 'toString']
const relation = textRelation('odd', names)
const columns = names.map((name, index) => ({ name, index }))

function tuple(texts: readonly (string | null | undefined)[]): Tuple {
  return { text: (index) => texts[index] }
}

test('rows have own properties with the names of the columns, whatever those are', () => {
  const row = rowDecoder(relation, columns)(tuple(names))
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  expect(new Map(Object.entries(row ?? {}))).toEqual(new Map(names.map((name) => [name, name])))
})

test('NULL is null, and a row that lacks a column is left to others', () => {
  const some = columns.slice(0, 1)
  expect(rowDecoder(relation, some)(tuple([null]))).toEqual({ id: null })
  expect(rowDecoder(relation, some)(tuple([undefined]))).toBeNull()
})

test('takes the values of a row that has a quicker way to them', () => {
  const quick: Tuple = { text: () => 'text', value: (index, { name }) => `${name} ${index}` }
  expect(rowDecoder(relation, columns.slice(0, 1))(quick)).toEqual({ id: 'id 0' })
})

test('each relation, and each choice of columns, has a decoder of its own', () => {
  const number = { ...relation, columns: relation.columns.map((column) => ({ ...column, parse: Number })) }
  const some = columns.slice(0, 1)
  expect(rowDecoder(relation, some)(tuple(['1']))).toEqual({ id: '1' })
  expect(rowDecoder(number, some)(tuple(['1']))).toEqual({ id: 1 })
  expect(rowDecoder(relation, some)).toBe(rowDecoder(relation, some))
  expect(rowDecoder(relation, columns.slice(0, 2))).not.toBe(rowDecoder(relation, some))
})

test('where no code may be made of texts, rows are left to others', () => {
  const module = new URL('./row-decoder.ts', import.meta.url).href
  const script = `
    const { rowDecoder } = await import(${JSON.stringify(module)})
    const relation = { columns: [{ parse: (text) => text }] }
    console.log(rowDecoder(relation, [{ name: 'id', index: 0 }])({ text: () => '1' }))`
  const run = (...flags: readonly string[]): string =>
    execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script], { encoding: 'utf8' }).trim()
  expect(run('--disallow-code-generation-from-strings')).toBe('null')
  expect(run()).toBe("{ id: '1' }")
})
