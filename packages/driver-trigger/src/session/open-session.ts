import type { DriverHost, DriverSession } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import pg from 'pg'
import { savedProgress } from '../snapshot/saved-progress.ts'
import type { ResolvedTriggerOptions } from '../trigger-options.ts'
import { resumeConsumer } from './attach-consumer.ts'
import type { LinkOptions } from './open-link.ts'
import { openLink } from './open-link.ts'
import { planningSession } from './planning-session.ts'
import { TriggerSession } from './trigger-session.ts'

/**
 * Connects twice (to read the queue, and for everything else) and checks the server. Makes nothing yet; a subscription
 * that has begun goes on.
 *
 * @throws RowtapError
 */
export async function openSession(options: ResolvedTriggerOptions, host: DriverHost): Promise<DriverSession> {
  if (options.pooler !== null && host.subscription !== null) {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: `triggerDriver: a subscription takes a lock for as long as it is connected, and behind a transaction pooler there is no such time. Connect with the server itself (or with a pooler that keeps a connection for each client) and leave out pooler, or leave out the subscription.`,
    })
  }
  const ending = new AbortController()
  const context: LinkOptions = {
    options: { ...options, types: options.types ?? pg.types },
    host,
    signal: AbortSignal.any([host.signal, ending.signal]),
    processes: new Set(),
  }
  const link = await openLink(context)
  if (host.planOnly) return planningSession(context, link)
  try {
    const resumed = await link.unlessLost(() => resumeConsumer(context, link))
    const progress = await link.unlessLost(() => savedProgress(link.control, resumed?.registration.id ?? null))
    return new TriggerSession(link, { link: context, ending, resumed, progress })
  } catch (error) {
    await link.abandon()
    throw error
  }
}
