import type { Driver, ListenOptions, RowtapError } from '@rowtap/core'
import { connect } from '@rowtap/core'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from '@rowtap/driver-trigger'
import { walDriver } from '@rowtap/driver-wal'
import assert from 'node:assert/strict'
import { test } from 'vitest'

const DRIVERS: Readonly<Record<string, (url: string) => Driver>> = {
  trigger: (connection) => triggerDriver({ connection }),
  wal: (connection) => walDriver({ connection }),
}

const OPTIONS: readonly (readonly [option: string, options: Omit<ListenOptions, 'table'>])[] = [
  ['columns', { columns: ['id', 'total'], transitions: 'idempotent' }],
  ['key', { key: ['total'], operations: ['insert'] }],
]

describePostgres('a column that is renamed while a listener names it', (postgres) => {
  for (const [name, driver] of Object.entries(DRIVERS)) {
    test.each(OPTIONS)(`ends the client of driver ${name} with what to do: %s`, async (option, options) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE public.orders (id int PRIMARY KEY, total int, note text)')
      await using client = await connect(driver(database.url))
      const errors: RowtapError[] = []
      client.on('error', (error) => errors.push(error))
      const listener = client.listen({ table: 'public.orders', ...options })
      listener.on('change', () => {})
      await listener.ready
      await database.query('ALTER TABLE public.orders RENAME COLUMN total TO totals')
      await database.query(`INSERT INTO public.orders VALUES (1, 2, 'a')`)
      await eventually(() => errors.length > 0, 'the error')
      assert.equal(errors[0]?.code, 'ERR_SETUP_REQUIRED')
      assert.equal(
        errors[0].message,
        `Table public.orders was altered while a listener's '${option}' names its column "total": it is gone (renamed or dropped). Did you mean "totals"? Correct '${option}', and start the listener again.`,
      )
    })
  }
})
