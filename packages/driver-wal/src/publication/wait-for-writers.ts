import { quoteIdentifier } from '@rowtap/core/driver'
import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import type { Waiting } from '@rowtap/core/driver'
import { COMMITTING_WRITERS, WRITERS } from './lock-sql.ts'

/** A commit that takes longer than this waits for something, and is seen to. */
const COMMIT_CPU_MS = 1000

/**
 * Waits until every transaction has ended that held a writing lock on one of the tables when this was called.
 *
 * What such a transaction wrote before the table was published is not in the stream, and what it writes after
 * that is: it would be half delivered. The same wait is in CREATE INDEX CONCURRENTLY, for the same reason.
 */
export async function waitForWriters(
  control: ControlConnection,
  tables: readonly number[],
  waiting: Waiting,
): Promise<void> {
  let earlier: ReadonlySet<string | null> | null = null
  for (;;) {
    const writers = await control.query<'pid' | 'transaction'>(WRITERS, [tables])
    earlier ??= new Set(writers.map((writer) => writer.transaction))
    // A transaction that is prepared meanwhile changes its name and has no process any more.
    const remaining: typeof writers = writers.filter(
      (writer) => earlier?.has(writer.transaction) || writer.pid === null,
    )
    if (remaining.length === 0) return
    const prepared = remaining.some((writer) => writer.pid === null)
      ? ' (some are prepared: see pg_prepared_xacts)'
      : ''
    await waiting.pause(
      `Waiting for transactions that wrote to the table before it was captured${prepared}: what they commit would be incomplete.`,
      processIds(remaining),
    )
  }
}

/**
 * Waits until no transaction is in the middle of its commit that was when this was called.
 *
 * Between writing its commit record and being visible to others, a transaction is before a place in the log and
 * not yet in what a SELECT returns. A listener that becomes live at that place must not miss it both ways.
 */
export async function waitForCommits(
  control: ControlConnection,
  tables: readonly number[],
  waiting: Waiting,
): Promise<void> {
  if (tables.length === 0) return
  let earlier: ReadonlySet<string | null> | null = null
  for (;;) {
    const writers = await control.query<'pid' | 'transaction' | 'wait' | 'unseen'>(COMMITTING_WRITERS, [tables])
    const committing = writers.filter(
      (writer) =>
        (earlier?.has(writer.transaction) ?? true) &&
        (writer.wait !== null || writer.unseen === 't' || waiting.elapsedMs < COMMIT_CPU_MS),
    )
    if (committing.length === 0) return
    // Whoever is once seen doing something else commits later.
    earlier = new Set(committing.map((writer) => writer.transaction))
    const unseen = committing.some((writer) => writer.unseen === 't')
      ? `, or may be: this role cannot see it (run: GRANT pg_read_all_stats TO ${quoteIdentifier(control.user)})`
      : ''
    await waiting.pause(`Waiting for transactions that are being committed${unseen}.`, processIds(committing))
  }
}

function processIds(rows: readonly TextRow<'pid'>[]): readonly number[] {
  return [...new Set(rows.flatMap((row) => (row.pid === null ? [] : [Number(row.pid)])))].toSorted((a, b) => a - b)
}
