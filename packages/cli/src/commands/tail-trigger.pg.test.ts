import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

import { runRowtap } from '../testing/rowtap-process.ts'

describePostgres('rowtap tail with the options of driver-trigger', (postgres) => {
  test('--pushdown conditions is the option of the driver, and --plan says what is left to the database', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE orders (id integer PRIMARY KEY, status text, total int)`)
    const plan = async (...flags: readonly string[]): Promise<string> => {
      const wish = ['--on', 'insert', '--where', 'total = 1', '--columns', 'id']
      const tail = ['tail', '--url', database.url, '--driver', 'trigger', '--table', 'orders', '--plan', ...wish]
      return (await runRowtap([...tail, ...flags])).stdout
    }
    const pushed = await plan('--pushdown', 'conditions')
    expect(pushed).toMatch(/^ {4}condition +in the database: /m)
    expect(pushed).toMatch(/^ {4}columns +in the database: /m)
    expect(pushed).toMatch(/row\(n."id", n."total"\)/)
    expect(pushed).not.toMatch(/create trigger "!rowtap update"/)
    const whole = await plan()
    expect(whole).toMatch(/^ {4}condition +in the process: /m)
    expect(whole).toMatch(/create trigger "!rowtap update"/)
  })
})
