import type { DurableSubscription, Waiting } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { END_HOLDER, SUBSCRIPTION_HOLDERS, TRY_LOCK_SUBSCRIPTION } from './session-sql.ts'

/** How a subscription's lock is taken. */
export interface TakeSubscriptionOptions extends Pick<DurableSubscription, 'name' | 'wait'> {
  readonly waiting: Waiting
  /** Processes whose connections were ours and are lost: they are not waited for. */
  readonly formerProcessIds: ReadonlySet<number>
}

/**
 * Takes the lock that makes this session the only one with a subscription, for as long as the control connection lives.
 *
 * @throws RowtapError ERR_SUBSCRIPTION_IN_USE, ERR_ABORTED; otherwise the error is `pg`'s.
 */
export async function takeSubscription(
  control: ControlConnection,
  { name, wait, waiting, formerProcessIds }: TakeSubscriptionOptions,
): Promise<void> {
  for (;;) {
    const [row] = await control.query<'got'>(TRY_LOCK_SUBSCRIPTION, [name])
    if (row?.got === 't') return
    const holders = (await control.query<'pid'>(SUBSCRIPTION_HOLDERS, [name])).map(({ pid }) => Number(pid))
    const former = holders.filter((holder) => formerProcessIds.has(holder))
    for (const holder of former) await control.query(END_HOLDER, [name, holder])
    if (!wait && holders.length > former.length) throw inUse(name, holders)
    await waiting.pause(`Waiting for another process to end, which has subscription ${JSON.stringify(name)}.`, holders)
  }
}

function inUse(name: string, holders: readonly number[]): RowtapError {
  return new RowtapError('ERR_SUBSCRIPTION_IN_USE', {
    message: `Another process has subscription ${JSON.stringify(name)} (server process ${holders.join(', ')}): end it, or leave out wait: false to wait for its end.`,
    retryable: true,
  })
}
