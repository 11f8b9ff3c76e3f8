import { catalogueSnapshot } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'

import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import type { RowtapResult } from '../testing/rowtap-process.ts'
import { runRowtap } from '../testing/rowtap-process.ts'

const SETUP = `
  CREATE TABLE orders (id integer PRIMARY KEY, status text, total numeric(10, 2));
  CREATE TABLE items (id integer PRIMARY KEY, note text);
  ALTER TABLE orders REPLICA IDENTITY FULL`

const STATEMENT = { wal: 'ADD TABLE ONLY "public"."orders"', trigger: 'create trigger "!rowtap' } as const

describePostgres('rowtap tail --plan', (postgres) => {
  describe.each(DRIVER_NAMES)('--driver %s', (driver) => {
    const planOf = (url: string, ...flags: readonly string[]): Promise<RowtapResult> => {
      return runRowtap(['tail', '--url', url, '--driver', driver, '--table', 'orders', '--plan', ...flags])
    }

    test('prints what would be done and every statement, and changes nothing', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      const before = await catalogueSnapshot(database)
      const where = ['--columns', 'id,total', '--where', `status = 'paid' and total > 1.50`]
      const { exitCode, stdout, stderr } = await planOf(database.url, ...where)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      expect(stdout).toMatch(
        new RegExp(
          `^Driver: ${driver}\\n\\nListener on public\\.orders\\n  operations   insert, update, delete, truncate\\n`,
        ),
      )
      expect(stdout).toMatch(/^ {2}where +\(\("status" = 'paid'\) AND \("total" > .*1\.50.*\)\)$/m)
      expect(stdout).toMatch(/^ {4}condition +in the process: /m)
      expect(stdout).toMatch(/^-- 1\. [A-Z]/m)
      expect(stdout).toContain(STATEMENT[driver])
      expect(await catalogueSnapshot(database)).toEqual(before)
    })

    test('shows the transactions around its statements, which wait for locks for a moment only', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      const { stdout } = await planOf(database.url)
      const statements = stdout.replaceAll(/^--.*$/gm, '')
      expect(statements).toMatch(
        /\bbegin;\s+set local lock_timeout = '\d+ms';(?:(?!\bcommit;)[^])*"public"\."orders"[^]*?\bcommit;/i,
      )
    })

    test('--json prints one object, without the password', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      const { password } = new URL(database.url)
      const { exitCode, stdout, stderr } = await planOf(database.url, '--table', 'items', '--on', 'insert', '--json')
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      expect(stdout).toMatch(/^[^\n]+\n$/)
      expect(password).not.toBe('')
      expect(stdout).not.toContain(`:${password}@`)
      expect(JSON.parse(stdout)).toMatchObject({
        driver,
        listeners: [
          { table: { schema: 'public', name: 'orders' }, operations: ['insert'], columns: ['id', 'status', 'total'] },
          { table: { schema: 'public', name: 'items' }, operations: ['insert'], key: ['id'], where: null },
        ],
        statements: expect.arrayContaining([
          {
            sql: expect.stringContaining(STATEMENT[driver]),
            purpose: expect.any(String),
            table: expect.toSatisfy((table) => table === null || typeof table === 'object'),
          },
        ]),
      })
    })

    test('refuses what tail refuses', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      const result = await planOf(database.url, '--columns', 'id,nope')
      expect(result).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringMatching(/^rowtap: ERR_.*nope.*\n$/),
      })
    })
  })
})
