import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectTrigger } from '../health/inspect-trigger.ts'
import { openTestSession } from '../testing/open-test-session.ts'

describePostgres('a role that may not make schemas', (postgres) => {
  test.each([
    [
      'its own, commented',
      'AUTHORIZATION ROLE',
      `'rowtap: the change queue of @rowtap/driver-trigger'`,
      'Run: GRANT CREATE ON DATABASE',
    ],
    ['its own', 'AUTHORIZATION ROLE', 'NULL', 'rowtap did not make it'],
    [
      'the administrator’s, commented',
      '',
      `'rowtap: the change queue of @rowtap/driver-trigger'`,
      'belongs to the role',
    ],
  ])(
    'is told by inspectTrigger and by the start alike why it cannot use a schema that was made for it: %s',
    async (_, owner, comment, advice) => {
      await using database = await postgres.createDatabase()
      const role = await database.createRole()
      await database.query(`
      CREATE TABLE orders (id int PRIMARY KEY);
      GRANT SELECT, TRIGGER ON orders TO "${role.name}";
      CREATE SCHEMA rowtap ${owner.replace('ROLE', `"${role.name}"`)};
      COMMENT ON SCHEMA rowtap IS ${comment}`)
      const { obstacle } = await inspectTrigger({ connection: role.url })
      await using session = await openTestSession({ connection: role.url })
      const failure = await session.capture('orders').then(
        () => null,
        (error: unknown) => error,
      )
      expect(obstacle).toContain(advice)
      expect(failure).toMatchObject({ code: 'ERR_SETUP_REQUIRED', message: expect.stringContaining(advice) })
    },
  )
})
