import { RowtapError } from '@rowtap/core'
import { isConditionSource } from '@rowtap/core/conditions'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { compileFunction } from 'node:vm'
import { test } from 'vitest'
import { parseCondition } from './parse-condition.ts'
import { sql } from './sql.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gmsu)].map(([, language = '', code = '']) => ({
  language,
  code,
}))

interface Run {
  readonly listeners: readonly { readonly where: unknown }[]
  readonly condition: unknown
  readonly printed: readonly string[]
}

/** Runs an example with what it imports, and a client that keeps what it is asked for. */
async function run(code: string): Promise<Run> {
  const listeners: { readonly where: unknown }[] = []
  const printed: string[] = []
  const client = { listen: (options: { readonly where: unknown }) => listeners.push(options) }
  const console = { log: (value: unknown) => printed.push(inspect(value, { depth: null })) }
  const body = code.replaceAll(/^import .*$/gmu, '')
  const end = body.includes('const condition') ? 'return condition' : ''
  const example = compileFunction(`return (async () => { ${body}\n${end} })()`, [
    'sql',
    'parseCondition',
    'client',
    'console',
  ]) as (...names: readonly unknown[]) => Promise<unknown>
  return { condition: await example(sql, parseCondition, client, console), listeners, printed }
}

test('every example of the README does what it says', async () => {
  const codes = blocks.filter(({ language }) => language === 'ts').map(({ code }) => code)
  const [listening = '', list = '', parsing = '', refused = '', typed = ''] = codes
  assert.equal(codes.length, 5)

  const [listener] = (await run(listening)).listeners
  assert.ok(isConditionSource(listener?.where))
  assert.equal((await listener.where.toCondition()).kind, 'and')

  const { condition } = await run(list)
  assert.ok(isConditionSource(condition))
  const tree = await condition.toCondition()
  assert.ok(tree.kind === 'and' && tree.conditions[0]?.kind === 'in')

  const comment = Array.from(parsing.matchAll(/^\/\/ (.*)$/gmu), ([, line]) => line).join('\n')
  assert.deepEqual((await run(parsing)).printed, [comment])

  const message = blocks.find(({ language }) => language === 'text')?.code.trimEnd()
  await assert.rejects(run(refused), (error: unknown) => {
    assert.ok(RowtapError.is(error, 'ERR_INVALID_OPTIONS'))
    assert.equal(error.message, message)
    return true
  })

  assert.deepEqual((await run(typed)).condition, {
    kind: 'compare',
    column: 'created',
    operator: 'gte',
    constant: { text: '2024-01-01', type: null },
  })
})

test('every form in the README’s table is accepted', async () => {
  const forms: readonly string[] = [
    "a = 1 AND 1 <> a AND a != 'x' AND a IS NOT DISTINCT FROM 2",
    'a NOT IN (1, 2) AND a = ANY ($1) AND a <> ALL (ARRAY[1, 2])',
    'a NOT BETWEEN SYMMETRIC 2 AND 1',
    "a NOT LIKE 'x!_' ESCAPE '!' AND a ILIKE 'y%'",
    'a IS NOT NULL',
    'urgent AND urgent IS NOT TRUE AND TRUE OR FALSE OR NULL',
    'NOT (a = 1 OR /* or */ b = 2) -- all',
  ]
  for (const form of forms) await parseCondition(form, form.includes('$1') ? [[1, 2]] : [])
  assert.equal(forms.length, [...readme.matchAll(/^\| (?!\|)\w/gmu)].length)
})
