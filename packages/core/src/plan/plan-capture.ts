import { Attachments } from '../client/attachments.ts'
import { asRowtapError, throwIfAborted } from '../client/client-errors.ts'
import { Signals } from '../client/signals.ts'
import type { Driver } from '../contract/driver.ts'
import type { ConnectRequest } from '../options/connect-request.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { Plan } from './plan.ts'

/** Plans a client that is not there, in a session of its own that makes nothing. What goes wrong is a RowtapError. */
export async function planCapture(
  driver: Driver,
  request: ConnectRequest,
  listeners: readonly ListenRequest[],
): Promise<Plan> {
  const signals = new Signals()
  const { message: _, ...on } = request.on
  signals.addAll(on)
  const { signal } = request
  throwIfAborted(signal)
  try {
    const session = await driver.open({
      subscription: request.subscription,
      signal: signal ?? new AbortController().signal,
      planOnly: true,
      messages: request.messages !== null,
      notify: (notice) => signals.notify(notice),
    })
    try {
      // Nothing is attached, so that nothing can come of it.
      const nothing = { attached: () => {}, refused: () => {}, letGo: () => Promise.resolve() }
      const attachments = new Attachments(session, driver.capabilities, nothing)
      return await attachments.plan(listeners)
    } finally {
      await session.close()
    }
  } catch (error) {
    throwIfAborted(signal, error)
    throw asRowtapError(driver.name, error)
  }
}
