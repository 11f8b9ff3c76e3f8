import type { Change, DriverNotice, DriverSession, DurableSubscription, Position } from '@rowtap/core/driver'
import { parseTableName } from '@rowtap/core/driver'
import { eventually } from '@rowtap/driver-testkit'
import { triggerDriver } from '../trigger-driver.ts'
import type { TriggerDriverOptions } from '../trigger-options.ts'

/** A driver's session without core around it, with everything that it delivered. */
export interface TestSession extends AsyncDisposable {
  readonly session: DriverSession
  readonly changes: readonly Change[]
  readonly notices: readonly DriverNotice[]
  /** The error that ended the stream. */
  error(): Error | null
  /** Captures exactly these tables, written as in SQL. */
  capture(...tables: readonly string[]): Promise<Position>
  /** Waits until at least so many changes have arrived. */
  count(changes: number): Promise<readonly Change[]>
  /** From now on nothing is acknowledged. */
  holdBack(): void
  close(): Promise<void>
}

/** Opens a session, reads all that it delivers, and acknowledges it. Disposing of it closes it. */
export async function openTestSession(
  options: TriggerDriverOptions,
  subscription: DurableSubscription | null = null,
): Promise<TestSession> {
  const changes: Change[] = []
  const notices: DriverNotice[] = []
  let ended: Error | null = null
  let acknowledges = true
  const session = await triggerDriver(options).open({
    subscription,
    signal: new AbortController().signal,
    planOnly: false,
    messages: false,
    notify: (notice) => notices.push(notice),
  })
  const read = async (): Promise<void> => {
    for await (const batch of session.batches()) {
      changes.push(...batch.changes)
      const last = batch.changes.at(-1)
      if (acknowledges && last !== undefined) session.acknowledge(last.position)
    }
  }
  const reading = read().catch((error: unknown) => {
    ended = error instanceof Error ? error : new Error('the stream failed', { cause: error })
  })
  const close = async (): Promise<void> => {
    await session.close()
    await reading
  }
  return {
    session,
    changes,
    notices,
    error: () => ended,
    capture: (...tables) =>
      session.capture(
        tables.map((table) => ({
          table: parseTableName(table),
          operations: new Set(['insert']),
          columns: null,
          comparedEnums: new Set(),
        })),
      ),
    count: async (wanted) => {
      await eventually(() => changes.length >= wanted || ended !== null, `${wanted} changes`)
      if (ended !== null) throw ended
      return changes
    },
    holdBack: () => {
      acknowledges = false
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A change in one line, to compare: `update t old=(1,a) new=(1,b)`. */
export function describeChange({ kind, relation, old, new: row }: Change): string {
  const print = (name: string, tuple: Change['new']): string =>
    tuple === null ? '' : ` ${name}=(${relation.columns.map((_, index) => tuple.text(index) ?? 'NULL').join(',')})`
  return `${kind} ${relation.name}${print('old', old)}${print('new', row)}`
}
