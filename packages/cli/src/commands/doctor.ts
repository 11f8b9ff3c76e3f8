import type { TableName } from '@rowtap/core'
import { inspectTrigger } from '@rowtap/driver-trigger'
import type { TriggerHealth } from '@rowtap/driver-trigger'
import { inspectWal } from '@rowtap/driver-wal'
import type { WalHealth } from '@rowtap/driver-wal'

import type { Check } from '../doctor/check.ts'
import { doctorReport, summary } from '../doctor/doctor-report.ts'
import { triggerChecks } from '../doctor/trigger-checks.ts'
import { walServerChecks } from '../doctor/wal-server-checks.ts'
import { walSlotChecks } from '../doctor/wal-slot-checks.ts'
import { walTableChecks } from '../doctor/wal-table-checks.ts'
import type { DriverName } from '../drivers/known-drivers.ts'
import type { Surroundings } from '../terminal/surroundings.ts'

/** What `rowtap doctor` takes. */
export interface DoctorOptions {
  readonly url: string
  /** Only this one; left out: every driver. */
  readonly driver?: DriverName
  readonly tables: readonly TableName[]
  readonly json: boolean
}

interface Findings {
  readonly wal: WalHealth | null
  readonly trigger: TriggerHealth | null
}

/**
 * Prints whether the drivers can work on a database, what they have there, and what is about to go wrong. Changes
 * nothing.
 *
 * @throws RowtapError where the database cannot be looked at; Error where there is a problem, after it was printed.
 */
export async function doctor(options: DoctorOptions, around: Surroundings): Promise<void> {
  const { interrupted, output, colors, isTerminal } = around
  let findings: Findings
  try {
    findings = await look(options, interrupted)
  } catch (error) {
    if (interrupted.aborted) return
    throw error
  }
  const { wal, trigger } = findings
  const checks: readonly Check[] = [
    ...(wal === null ? [] : [...walServerChecks(wal), ...walSlotChecks(wal), ...walTableChecks(wal)]),
    ...(trigger === null ? [] : triggerChecks(trigger)),
  ]
  const unseen = { wal: wal?.unseen ?? [], trigger: trigger?.unseen ?? [] }
  const isWrong = checks.some(({ level }) => level === 'problem')
  // On a terminal the reason why the command fails is the next line.
  const report = { colors, hasSummary: !(isWrong && isTerminal) }
  await output.write(options.json ? JSON.stringify({ checks, ...findings }) : doctorReport(checks, unseen, report))
  if (isWrong) throw new Error(summary(checks))
}

async function look({ url, driver, tables }: DoctorOptions, signal: AbortSignal): Promise<Findings> {
  const [wal, trigger] = await Promise.all([
    driver === 'trigger' ? null : inspectWal({ connection: url, tables, signal }),
    driver === 'wal' ? null : inspectTrigger({ connection: url, tables, signal }),
  ])
  return { wal, trigger }
}
