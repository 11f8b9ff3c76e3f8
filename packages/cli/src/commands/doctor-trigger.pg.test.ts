import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

import { RowtapProcess, runRowtap } from '../testing/rowtap-process.ts'

describePostgres('rowtap doctor --driver trigger', (postgres) => {
  test('names what somebody dropped of the queue, and what it says to do helps', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE orders (id int PRIMARY KEY)')
    const flags = ['--url', database.url, '--driver', 'trigger']
    const tailing = ['tail', ...flags, '--table', 'orders', '--subscription', 'billing']
    await using tail = new RowtapProcess(tailing)
    await tail.ready()
    tail.kill('SIGINT')
    expect((await tail.ended).exitCode).toBe(0)
    await database.query('DROP FUNCTION rowtap.capture_statement() CASCADE')
    const { exitCode, stdout, stderr } = await runRowtap(['doctor', ...flags])
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'rowtap: 1 problem, 0 warnings\n' })
    expect(stdout).toMatch(
      /^ {2}problem {2}queue rowtap: .* lacks the function capture_statement, .*`rowtap uninstall`/m,
    )
    const refused = await runRowtap(tailing)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/^rowtap: ERR_SETUP_REQUIRED: .* lacks the function capture_statement, /)
    expect((await runRowtap(['uninstall', '--url', database.url, '--yes'])).exitCode).toBe(0)
    await using again = new RowtapProcess([...tailing, '--limit', '1'])
    await again.ready()
    await database.query('INSERT INTO orders VALUES (1)')
    expect((await again.ended).exitCode).toBe(0)
  })
})
