import type { DriverHost, PlannedStatement } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import { leaseLost } from '../queue/tick-source.ts'
import { READ_PROGRESS, SAVE_PROGRESS } from './snapshot-sql.ts'

/**
 * Keeps how far the snapshots of a subscription are, with its place in the queue. The queue's owner alone can read it:
 * there are values of keys in it.
 *
 * @throws RowtapError ERR_POSITION_LOST where the subscription is not there any more.
 */
export async function saveProgress(queries: Queries, consumer: string, text: string): Promise<void> {
  if ((await queries.run(SAVE_PROGRESS, [consumer, text])) === 0) throw leaseLost()
}

/** The text that {@link saveProgress} has kept; `null` where there is none, or no consumer yet. */
export async function savedProgress(queries: Queries, consumer: string | null): Promise<string | null> {
  if (consumer === null) return null
  const [row] = await queries.rows<{ text: string | null }>(READ_PROGRESS, [consumer])
  return row?.text ?? null
}

/** What {@link saveProgress} executes; nothing without a subscription. */
export function progressStatements({
  host,
  options,
}: {
  readonly host: Pick<DriverHost, 'subscription'>
  readonly options: { readonly schema: string }
}): readonly PlannedStatement[] {
  if (host.subscription === null) return []
  return [
    {
      sql: SAVE_PROGRESS.text(options.schema).trim().replace('$1', ':consumer').replace('$2', ':progress'),
      purpose: 'Keeps with the subscription how far its snapshots are; at most once a second while one is read.',
      table: null,
    },
  ]
}
