import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

describePostgres('the README’s program', (postgres) => {
  test('prints what changes, and ends on SIGINT', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL, total numeric(10,2) NOT NULL)`)
    const program = spawn(process.execPath, [fileURLToPath(new URL('orders.ts', import.meta.url))], {
      env: { ...process.env, DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exit = once(program, 'exit')
    const lines: string[] = []
    for await (const line of createInterface({ input: program.stdout })) {
      lines.push(line)
      if (line === 'listening') {
        await database.query(`INSERT INTO orders VALUES (1, 'new', 9.90)`)
        await database.query(`UPDATE orders SET status = 'paid'`)
        await database.query(`DELETE FROM orders`)
      }
      if (line.startsWith('delete')) program.kill('SIGINT')
    }
    expect(await exit).toEqual([0, null])
    expect(lines).toEqual([
      'listening',
      'bill for order 1: 9.90',
      'insert { id: 1 } null',
      'update { id: 1 } null',
      'delete { id: 1 } null',
    ])
  })
})
