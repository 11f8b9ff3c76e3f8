import assert from 'node:assert/strict'
import type { ChaosOptions, ChaosReport } from './chaos-stage.ts'
import { ChaosStage } from './chaos-stage.ts'
import { checkDurable } from './run-chaos.ts'

/** What {@link runTakeOver} takes. */
export interface RunTakeOverOptions extends ChaosOptions {
  /** How many times the process that has the subscription is killed. */
  readonly rounds: number
  /** Within what time the other one must handle something, in milliseconds. Default: 5,000. */
  readonly withinMs?: number
}

/** What {@link runTakeOver} did. */
export interface RunTakeOverReport extends ChaosReport {
  /** How long each take-over took, in milliseconds, from the kill to the first change that the other one handled. */
  readonly takeOversMs: readonly number[]
}

/**
 * Two processes want one subscription while others write; the one that has it is killed again and again. Rejects where the
 * other one does not carry on in time, and where {@link runChaos} would.
 */
export async function runTakeOver(options: RunTakeOverOptions): Promise<RunTakeOverReport> {
  const { rounds, withinMs = 5000 } = options
  await checkDurable(options)
  await using stage = await ChaosStage.open(options)
  const { consumers } = stage
  const takeOversMs: number[] = []
  let active = consumers.newest
  for (let round = 1; round <= rounds; round += 1) {
    const standby = consumers.start()
    await stage.until(() => standby.hasTold('wait'), 'the other process waits for its turn')
    await stage.committed(5 + stage.random.integer(100))
    await stage.until(() => active.handlings.length > 0, 'the process with the subscription handles something')
    assert.equal(
      standby.handlings.length,
      0,
      `${standby.name} handles nothing while ${active.name} has the subscription`,
    )
    const since = performance.now()
    await active.kill()
    await stage.until(() => standby.handlings.length > 0, `${standby.name} carries on`)
    const tookMs = performance.now() - since
    takeOversMs.push(tookMs)
    assert.ok(
      tookMs <= withinMs,
      `${standby.name} carried on ${Math.round(tookMs)} ms after ${active.name} was killed, and has ${withinMs} ms`,
    )
    stage.check()
    active = standby
  }
  return { ...(await stage.finish()), takeOversMs }
}
