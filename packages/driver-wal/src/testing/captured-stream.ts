import type { TestDatabase } from '@rowtap/driver-testkit'
import { walData } from './wal-data.ts'

const SETUP = `
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TABLE plain (id int PRIMARY KEY, v text, m mood);
  CREATE TABLE "full" (id int PRIMARY KEY, v text, big text);
  ALTER TABLE "full" REPLICA IDENTITY FULL;
  ALTER TABLE "full" ALTER COLUMN big SET STORAGE EXTERNAL;
  CREATE PUBLICATION captured FOR TABLE plain, "full"`
const SLOT = `SELECT pg_create_logical_replication_slot('captured_' || md5(current_database()), 'pgoutput', true)`
const ORIGIN = `SELECT pg_replication_origin_create('captured ' || current_database());`
const FROM_ORIGIN = `SELECT pg_replication_origin_session_setup('captured ' || current_database());`
const LOCAL = `SELECT pg_replication_origin_session_reset(), pg_replication_origin_drop('captured ' || current_database())`
const WRITES = [
  `BEGIN; INSERT INTO plain VALUES (1, 'one', 'sad'), (2, NULL, 'happy'); UPDATE plain SET v = 'x' WHERE id = 1;
   UPDATE plain SET id = 3 WHERE id = 2; DELETE FROM plain WHERE id = 3; COMMIT`,
  `BEGIN; INSERT INTO "full" VALUES (1, 'v', repeat('big', 2000)); UPDATE "full" SET v = 'w'; DELETE FROM "full"; COMMIT`,
  `SELECT pg_logical_emit_message(true, 'within', 'content'), pg_logical_emit_message(false, 'alone', '')`,
  `BEGIN; INSERT INTO plain SELECT i, repeat('y', 80), 'sad' FROM generate_series(10, 700) AS i;
   SAVEPOINT a; INSERT INTO plain SELECT i, repeat('z', 80), 'sad' FROM generate_series(1000, 1700) AS i; ROLLBACK TO a;
   ALTER TABLE plain ADD COLUMN n int; UPDATE plain SET n = id; COMMIT`,
  `TRUNCATE plain, "full"`,
]
const OPTIONS: Readonly<Record<1 | 2, string>> = {
  1: `'proto_version', '1', 'publication_names', 'captured', 'messages', 'true'`,
  2: `'proto_version', '2', 'publication_names', 'captured', 'messages', 'true', 'streaming', 'on'`,
}

/** Everything that a server can send, as it sends it: by each protocol, one `CopyData` message after another. */
export async function captureStreams(database: TestDatabase): Promise<Readonly<Record<1 | 2, readonly Buffer[]>>> {
  await database.query(SETUP)
  await database.query(SLOT)
  await database.query(`${ORIGIN} ${FROM_ORIGIN}`)
  for (const sql of WRITES) await database.query(sql)
  await database.query(LOCAL)
  await database.query(`SET logical_decoding_work_mem = '64kB'`)
  return { 1: await peek(database, 1), 2: await peek(database, 2) }
}

async function peek(database: TestDatabase, protocol: 1 | 2): Promise<readonly Buffer[]> {
  const rows = await database.query(
    `SELECT (lsn - '0/0')::text AS lsn, data
     FROM pg_logical_slot_peek_binary_changes('captured_' || md5(current_database()), NULL, NULL, ${OPTIONS[protocol]})`,
  )
  return rows.map(({ lsn, data }) => {
    if (!(data instanceof Uint8Array)) throw new TypeError('Binary data was expected.')
    return walData(BigInt(String(lsn)), data)
  })
}
