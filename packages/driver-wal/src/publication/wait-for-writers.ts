import { quoteIdentifier } from '@rowtap/core/driver'
import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import type { Waiting } from '@rowtap/core/driver'
import { COMMITTING_WRITERS, WRITERS } from './lock-sql.ts'

/** A commit that takes longer than this waits for something, and is seen to. What only works is asked for in another way. */
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

/** A transaction that may be in the middle of its commit, and the process that commits it. */
type MayCommit = TextRow<'pid' | 'transaction' | 'wait' | 'unseen'>

/**
 * Waits until no transaction is in the middle of its commit that was when this was called.
 *
 * Between writing its commit record and being visible to others, a transaction is before a place in the log and
 * not yet in what a SELECT returns. A listener that becomes live at that place must not miss it both ways.
 *
 * @returns those of which nobody can see whether they are: their processes have worked all the time. Few are, as a commit
 *   seldom takes so long.
 */
export async function waitForCommits(
  control: ControlConnection,
  tables: readonly number[],
  waiting: Waiting,
): Promise<readonly MayCommit[]> {
  if (tables.length === 0) return []
  let earlier: readonly MayCommit[] | null = null
  for (;;) {
    const committing: readonly MayCommit[] = await mayCommit(control, tables, earlier)
    const waits = committing.some(({ wait, unseen }) => wait !== null || unseen === 't')
    if (committing.length === 0 || (!waits && waiting.elapsedMs >= COMMIT_CPU_MS)) return committing
    earlier = committing
    const unseen = committing.some((writer) => writer.unseen === 't')
      ? `, or may be: this role cannot see it (run: GRANT pg_read_all_stats TO ${quoteIdentifier(control.user)})`
      : ''
    await waiting.pause(`Waiting for transactions that are being committed${unseen}.`, processIds(committing))
  }
}

/**
 * Waits until it is known of transactions whether they were committed before a place, or they are seen doing something else:
 * what was is delivered as soon as the stream is past that place.
 *
 * @param working what {@link waitForCommits} has returned.
 * @param hasPassed whether the stream is past the place.
 */
export async function waitUntilDelivered(
  control: ControlConnection,
  tables: readonly number[],
  waiting: Waiting,
  { working, hasPassed }: { readonly working: readonly MayCommit[]; readonly hasPassed: () => boolean },
): Promise<void> {
  let remaining = working
  while (remaining.length > 0 && !hasPassed()) {
    await waiting.pause(
      'Waiting for changes that were committed before to be delivered, or for these transactions: whether they are being committed cannot be seen.',
      processIds(remaining),
    )
    remaining = await mayCommit(control, tables, remaining)
  }
}

/** @param earlier those of which it was so before: whoever is once seen doing something else commits later. `null`: all. */
async function mayCommit(
  control: ControlConnection,
  tables: readonly number[],
  earlier: readonly MayCommit[] | null,
): Promise<readonly MayCommit[]> {
  const writers = await control.query<'pid' | 'transaction' | 'wait' | 'unseen'>(COMMITTING_WRITERS, [tables])
  const known = new Set(earlier?.map(({ transaction }) => transaction))
  return writers.filter(({ transaction }) => earlier === null || known.has(transaction))
}

function processIds(rows: readonly TextRow<'pid'>[]): readonly number[] {
  return [...new Set(rows.flatMap((row) => (row.pid === null ? [] : [Number(row.pid)])))].toSorted((a, b) => a - b)
}
