import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const core = fileURLToPath(new URL('../index.ts', import.meta.url))

const authors = fileURLToPath(new URL('../driver.ts', import.meta.url))

/** A driver called `x`, which says `false` to what is tried below. */
const driver = `
import type { Capabilities, Driver } from ${JSON.stringify(core)}
import type { EveryCondition } from ${JSON.stringify(authors)}
interface Manifest extends Capabilities {
  readonly driver: 'x'
  readonly operations: { readonly insert: 'database'; readonly update: 'database'; readonly delete: 'database'; readonly truncate: false }
  readonly conditions: EveryCondition<false>
  readonly transitions: { readonly exact: 'process'; readonly idempotent: false }
  readonly columns: { readonly projection: false; readonly onlyChanged: false }
  readonly keys: { readonly change: 'process'; readonly declared: false }
  readonly delivery: { readonly acknowledgement: 'database'; readonly subscription: false; readonly reconnect: false }
}
export declare const x: Driver<Manifest>
`

const attempts = {
  operation: `client.listen({ table: 'orders', operations: ['truncate'] })`,
  'operation-of-typed-row': `client.listen<{ id: string }>({ table: 'orders', operations: ['insert', 'truncate'] })`,
  where: `client.listen({ table: 'orders', where: { status: 'paid' } })`,
  transitions: `client.listen({ table: 'orders', transitions: 'idempotent' })`,
  columns: `client.listen({ table: 'orders', columns: ['id'] })`,
  key: `client.listen({ table: 'orders', key: ['id'] })`,
  subscription: `await connect(x, { subscription: 'billing' })`,
  shortcut: `listen(x, { table: 'orders', operations: ['truncate'] })`,
  'without-rows': `client.listen({ table: 'orders', rows: false, bufferBytes: 1 })`,
  'rows-of-none': `client.listen({ table: 'orders', rows: false })`,
  supported: `client.listen({ table: 'orders', operations: ['insert', 'update', 'delete'] })`,
} as const

describe('what a manifest says `false` to does not compile, and the compiler says why', () => {
  let directory = ''
  let messages = ''

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rowtap-refusal-'))
    await writeFile(join(directory, 'driver.ts'), driver)
    for (const [name, attempt] of Object.entries(attempts)) {
      const program = `import { connect, listen } from ${JSON.stringify(core)}\nimport { x } from './driver.ts'\nconst client = await connect(x)\n${attempt}\nexport { client, listen }\n`
      await writeFile(join(directory, `${name}.ts`), program)
    }
    const settings = {
      extends: join(root, 'tsconfig.test.json'),
      compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
      include: ['*.ts'],
    }
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(settings))
    messages = await compile(directory)
  }, 60_000)

  afterAll(async () => {
    await rm(directory, { recursive: true })
  })

  it.each([
    ['operation', "The driver 'x' does not support the operation 'truncate'."],
    ['operation-of-typed-row', "The driver 'x' does not support the operation 'truncate'."],
    ['where', "The driver 'x' does not support the option 'where'."],
    ['transitions', "The driver 'x' does not support transitions: 'idempotent'."],
    ['columns', "The driver 'x' does not support the option 'columns'."],
    ['key', "The driver 'x' does not support the option 'key'."],
    ['subscription', "The driver 'x' does not support the option 'subscription'."],
    ['without-rows', "With 'rows: false' a listener has the options table, operations, concurrency, retry,"],
    ['shortcut', "The driver 'x' does not support the operation 'truncate'."],
  ] as const)('%s: %s', (name, sentence) => {
    const errors = errorsOf(`${name}.ts`)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(sentence)
  })

  it('what is supported compiles, and nothing else is wrong', () => {
    expect(errorsOf('supported.ts')).toEqual([])
    expect(errorsOf('rows-of-none.ts')).toEqual([])
    expect(errorsOf('driver.ts')).toEqual([])
    expect(messages.split('\n').filter((line) => line.includes('error TS'))).toHaveLength(9)
  })

  /** Errors of several lines, whose later lines are indented. */
  function errorsOf(file: string): string[] {
    return messages.split(/\n(?! )/).filter((error) => error.startsWith(`${file}(`))
  }
})

/** Runs the compiler, whose failure is what the test looks at. TypeScript 7 has no interface but its command. */
function compile(directory: string): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: directory }, (_error, stdout) => {
      resolve(stdout)
    })
  })
}
