import { connect } from '@rowtap/core'
import { RowtapError } from '@rowtap/core/driver'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'
import { triggerDriver } from '../trigger-driver.ts'

describePostgres('a role without a privilege on some partitions', (postgres) => {
  test('is told the statement that helps, partitions of partitions included', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE r (id int, k int, PRIMARY KEY (id, k)) PARTITION BY RANGE (id);
      CREATE TABLE r1 PARTITION OF r FOR VALUES FROM (0) TO (10);
      CREATE TABLE "r 2" PARTITION OF r FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (k);
      CREATE TABLE r3 PARTITION OF "r 2" FOR VALUES FROM (0) TO (10)`)
    const role = await database.createRole()
    await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`)
    await database.query(`GRANT SELECT, TRIGGER ON r TO ${role.name}; GRANT TRIGGER ON r1 TO ${role.name}`)
    await using session = await openTestSession({ connection: role.url })
    const refused = await session.capture('r').catch((error: unknown) => error)
    expect(RowtapError.is(refused, 'ERR_SETUP_REQUIRED')).toBe(true)
    const [statement] = /GRANT .*;/u.exec(String(refused)) ?? []
    expect(statement).toBe(`GRANT TRIGGER ON TABLE "public"."r 2", "public"."r3" TO "${role.name}";`)
    await database.query(statement ?? '')
    await session.capture('r')
    await database.query('INSERT INTO r VALUES (1, 1), (11, 1)')
    await session.count(2)
  })
})

describePostgres('a role without a privilege on the schema', (postgres) => {
  test('is told the statements that help', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE SCHEMA closed; CREATE TABLE closed.t (id int PRIMARY KEY)')
    const role = await database.createRole()
    await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`)
    const client = await connect(triggerDriver({ connection: role.url }))
    const table = { schema: 'closed', name: 't' }
    const refused = await client.listen({ table }).ready.catch((error: unknown) => error)
    const [statements] = /GRANT .*;/u.exec(String(refused)) ?? []
    expect(statements).toBe(
      `GRANT USAGE ON SCHEMA "closed" TO "${role.name}"; GRANT SELECT, TRIGGER ON TABLE "closed"."t" TO "${role.name}";`,
    )
    await database.query(statements ?? '')
    await client.listen({ table }).ready
    await client.close()
  })
})
