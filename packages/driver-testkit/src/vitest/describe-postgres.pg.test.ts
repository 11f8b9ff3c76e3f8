import { expect, test } from 'vitest'
import { describePostgres } from './describe-postgres.ts'

describePostgres('describePostgres', (postgres) => {
  test('has the version that it says, ready for logical replication', async () => {
    await using database = await postgres.createDatabase()
    expect(
      await database.query(
        `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('wal_level') AS wal_level`,
      ),
    ).toEqual([{ version: postgres.version, wal_level: 'logical' }])
  })

  test('gives each test a database of its own', async () => {
    await using one = await postgres.createDatabase()
    await using other = await postgres.createDatabase()
    await one.query('CREATE TABLE t (id int)')
    expect(await other.query(`SELECT to_regclass('t') AS t`)).toEqual([{ t: null }])
  })
})
