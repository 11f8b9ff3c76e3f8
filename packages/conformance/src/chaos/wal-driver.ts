import type { ChaosDriver } from '@rowtap/driver-testkit'
import { walDriver } from '@rowtap/driver-wal'

const ACKNOWLEDGED = `
SELECT lpad(to_hex((confirmed_flush_lsn - '0/0')::bigint), 16, '0') AS acknowledged
FROM pg_catalog.pg_replication_slots
WHERE database = pg_catalog.current_database() AND slot_name LIKE 'rowtap\\_s\\_%\\_' || $1`

/** The driver as the chaos test uses it: a connection that is frozen is found soon. */
export const chaosDriver: ChaosDriver = {
  create: ({ url }) =>
    walDriver({
      connection: { connectionString: url, connectionTimeoutMillis: 2000 },
      livenessMs: 500,
      reconnect: { minDelayMs: 20, maxDelayMs: 500 },
      // What is delivered again is the same whether or not it was sent while it was open: about every other process differs.
      streaming: process.pid % 2 === 0 ? 'on' : 'off',
    }),
  // A position begins with the place of its transaction's commit record, which is acknowledged by the record's end.
  async acknowledged(connection, subscription) {
    const { rows } = await connection.query<{ readonly acknowledged: string }>(ACKNOWLEDGED, [subscription])
    return rows[0]?.acknowledged ?? null
  },
}
