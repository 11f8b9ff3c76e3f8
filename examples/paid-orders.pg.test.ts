import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

const statements = [
  `INSERT INTO orders VALUES (1, 'new', 250, true), (2, 'new', 20, false)`,
  `UPDATE orders SET status = 'packed' WHERE id = 1`,
  `UPDATE orders SET status = 'paid'`,
  `UPDATE orders SET total = 300 WHERE id = 1`,
  `UPDATE orders SET total = 30 WHERE id = 2`,
  `UPDATE orders SET id = 3 WHERE id = 1`,
  `UPDATE orders SET total = 99.99 WHERE id = 3`,
  `INSERT INTO orders VALUES (4, 'paid', 100, false)`,
  `DELETE FROM orders`,
]

describePostgres('the program of the page on conditions', (postgres) => {
  test('prints what moves into its conditions, inside them and out of them', async () => {
    await using database = await postgres.createDatabase()
    await database.query(
      `CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL, total numeric NOT NULL, urgent boolean NOT NULL)`,
    )
    const program = spawn(process.execPath, [fileURLToPath(new URL('paid-orders.ts', import.meta.url))], {
      env: { ...process.env, DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exit = once(program, 'exit')
    const lines: string[] = []
    for await (const line of createInterface({ input: program.stdout })) {
      lines.push(line)
      if (line === 'listening') {
        for (const statement of statements) await database.query(statement)
      }
      if (line === 'out of: 4 null') program.kill('SIGINT')
    }
    expect(await exit).toEqual([0, null])
    expect(lines.filter((line) => line.startsWith('hurry'))).toEqual([
      `hurry: insert { id: 1, total: '250' }`,
      'hurry: delete null',
    ])
    expect(lines.filter((line) => !line.startsWith('hurry'))).toEqual([
      'listening',
      'into: 1 update',
      `inside: 1 [ 'total' ]`,
      'out of: 1 update',
      'into: 3 update',
      'out of: 3 update',
      'into: 4 null',
      'out of: 4 null',
    ])
  })
})
