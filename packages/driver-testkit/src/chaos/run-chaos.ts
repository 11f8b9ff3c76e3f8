import { cellOf } from '@rowtap/core'
import { RowtapError } from '@rowtap/core/driver'
import { loadChaosDriver } from './chaos-driver.ts'
import type { ChaosOptions, ChaosReport } from './chaos-stage.ts'
import { ChaosStage } from './chaos-stage.ts'
import type { Misfortune } from './misfortunes.ts'
import { drawMisfortunes, MISFORTUNES } from './misfortunes.ts'

/** What {@link runChaos} takes. */
export interface RunChaosOptions extends ChaosOptions {
  /** How many misfortunes happen. */
  readonly rounds: number
}

/** What {@link runChaos} did. */
export interface RunChaosReport extends ChaosReport {
  readonly misfortunes: Readonly<Partial<Record<Misfortune, number>>>
  /** How long it took at most, in milliseconds, until everything was handled after a misfortune. */
  readonly slowestRecoveryMs: number
}

/**
 * Lets a durable consumer come to harm again and again, while others write: it is killed, its connections are terminated,
 * cut and frozen, its server is restarted. Rejects where a change is lost, invented, out of order, delivered again as
 * something else, or acknowledged before it is handled; where a transaction is torn; where the writers notice; and where
 * the consumer does not go on by itself.
 */
export async function runChaos(options: RunChaosOptions): Promise<RunChaosReport> {
  await checkDurable(options)
  await using stage = await ChaosStage.open(options)
  const canRestart = options.database.server.source === 'embedded'
  const misfortunes = drawMisfortunes(stage.random, options.rounds, canRestart)
  const counts: Partial<Record<Misfortune, number>> = {}
  let slowestRecoveryMs = 0
  for (const [index, misfortune] of misfortunes.entries()) {
    try {
      await stage.committed(5 + stage.random.integer(100))
      await MISFORTUNES[misfortune](stage)
      // Not after each: the next one may come while this one is being got over.
      if (stage.random.chance(0.7)) {
        const since = performance.now()
        await stage.caughtUp()
        slowestRecoveryMs = Math.max(slowestRecoveryMs, performance.now() - since)
      }
      stage.check()
    } catch (error) {
      throw new Error(`round ${index + 1}, ${misfortune}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
    counts[misfortune] = (counts[misfortune] ?? 0) + 1
  }
  return { ...(await stage.finish()), misfortunes: counts, slowestRecoveryMs }
}

/** @throws RowtapError ERR_CAPABILITY_UNSUPPORTED where the driver promises nothing that survives a crash. */
export async function checkDurable({ module, database }: ChaosOptions): Promise<void> {
  const { capabilities, name } = (await loadChaosDriver(module)).create(database)
  for (const capability of ['delivery.subscription', 'rows.old', 'transactions.id', 'order.transaction'] as const) {
    if (cellOf(capabilities, capability) !== false) continue
    throw new RowtapError('ERR_CAPABILITY_UNSUPPORTED', {
      message: `The chaos test is for drivers with '${capability}', and the manifest of '${name}' denies it.`,
    })
  }
}
