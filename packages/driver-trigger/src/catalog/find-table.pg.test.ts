import { RowtapError } from '@rowtap/core/driver'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

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
