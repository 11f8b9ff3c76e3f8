import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

/** What capturing a table with `enableAlways` fails with; `null`: nothing. */
async function refusal(url: string, table: string): Promise<unknown> {
  await using session = await openTestSession({ connection: url, enableAlways: true })
  return await session.capture(table).then(
    () => null,
    (error: unknown) => error,
  )
}

/** A role that may capture tables by their privileges alone. */
async function listener(database: TestDatabase, ...tables: readonly string[]): ReturnType<TestDatabase['createRole']> {
  const role = await database.createRole()
  await database.query(`GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`)
  await database.query(`GRANT SELECT, TRIGGER ON ${tables.join(', ')} TO "${role.name}"`)
  return role
}

describePostgres('enableAlways', (postgres) => {
  test('names the owner to a role that is not the table’s, with the statement that helps', async () => {
    await using database = await postgres.createDatabase()
    const owner = await database.createRole()
    await database.query(`CREATE TABLE orders (id int PRIMARY KEY); ALTER TABLE orders OWNER TO "${owner.name}"`)
    const role = await listener(database, 'orders')
    const statement = `GRANT "${owner.name}" TO "${role.name}"`
    expect(await refusal(role.url, 'orders')).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: `With enableAlways capturing public.orders takes its owner "${owner.name}", and "${role.name}" is not. Run: ${statement} — or leave the option out.`,
    })
    await database.query(statement)
    expect(await refusal(role.url, 'orders')).toBeNull()
  })

  test('names the partition whose owner is another', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)`)
    const role = await listener(database, 'parted', 'parted_1')
    await database.query(`ALTER TABLE parted OWNER TO "${role.name}"`)
    // Nobody should have to act as a superuser.
    const statement = `ALTER TABLE "public"."parted_1" OWNER TO "${role.name}"`
    expect(await refusal(role.url, 'parted')).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining(`Run: ${statement} — or leave`),
    })
    await database.query(statement)
    expect(await refusal(role.url, 'parted')).toBeNull()
  })
})
