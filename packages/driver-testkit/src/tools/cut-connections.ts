import assert from 'node:assert/strict'
import type { TestDatabase } from '../postgres/test-database.ts'

const OTHERS = `
  FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'rowtap-testkit'`

/** Ends every connection to the database that is not the kit's own, as an administrator would, or a network. */
export async function cutConnections(database: TestDatabase): Promise<void> {
  const [row] = await database.query(`SELECT count(pg_terminate_backend(pid))::int AS ended ${OTHERS}`)
  assert.ok(Number(row?.['ended']) > 0, 'the driver has a connection that can be cut')
}

/** Cancels what runs on the connections to the database that are not the kit's own, as an administrator would. */
export async function cancelStatements(database: TestDatabase): Promise<void> {
  await database.query(`SELECT pg_cancel_backend(pid) ${OTHERS}`)
}
