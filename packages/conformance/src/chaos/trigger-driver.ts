import type { ChaosDriver } from '@rowtap/driver-testkit'
import { triggerDriver } from '@rowtap/driver-trigger'

const IS_INSTALLED = `SELECT pg_catalog.to_regclass('rowtap.consumer') IS NOT NULL AS installed`
const ACKNOWLEDGED = `SELECT acknowledged FROM rowtap.consumer WHERE subscription = $1`

/** The driver as the chaos test uses it: a connection that is frozen is found soon. */
export const chaosDriver: ChaosDriver = {
  create: ({ url }) =>
    triggerDriver({
      connection: { connectionString: url, connectionTimeoutMillis: 2000 },
      livenessMs: 500,
      reconnect: { minDelayMs: 20, maxDelayMs: 500 },
    }),
  async acknowledged(connection, subscription) {
    const { rows } = await connection.query<{ readonly installed: boolean }>(IS_INSTALLED)
    if (rows[0]?.installed !== true) return null
    const { rows: consumers } = await connection.query<{ readonly acknowledged: string | null }>(ACKNOWLEDGED, [
      subscription,
    ])
    return consumers[0]?.acknowledged ?? null
  },
}
