import type { DriverNotice, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { FIND_NAMED, FIND_WANTED_TRIGGERS } from '../sql/install-statements.ts'
import { isLockFailure } from './capture-table.ts'
import type { CapturedPart } from './captured-part.ts'
import { ROW_OPERATIONS, WHOLE } from './captured-part.ts'
import { GrowingRest } from './growing-rest.ts'
import type { RefusalNotices } from './refusal-notices.ts'
import { RefusedDefinition } from './refused-definition.ts'
import type { RowCaptureKind, SignalKind } from './triggers.ts'
import { triggerNames } from './triggers.ts'

interface Found {
  /** The captured table. */
  readonly oid: string
  /** Its name now; `null` if it was dropped. */
  readonly schema: string | null
  readonly table: string | null
  readonly is_partition: boolean | null
  /** What captures it best. */
  readonly kind: RowCaptureKind
  readonly signalKind: SignalKind
  /** Whether anybody wants rows. */
  readonly hasRows: boolean
  /** Which part of it is wanted; `null`: all. */
  readonly part: CapturedPart | null
  /** Whether it has parents or children. */
  readonly inherits: boolean
  /** Whether the role may drop its triggers. */
  readonly isOwned: boolean
  /** The table or partition that the trigger is on, and the trigger, if there is one. */
  readonly relation: string
  readonly trigger: string | null
  readonly name: string | null
  readonly enabled: string | null
  readonly version: string | null
}

/** What a watch has seen, for one that follows it. */
export interface WatchMemory {
  /** What was told of, and still is so. */
  told: ReadonlySet<string>
  /** The versions of the triggers, by their object ids. */
  versions: ReadonlyMap<string, string>
}

/** What the watch works with. */
export interface CaptureWatchTask {
  readonly connection: Connection
  readonly schema: string
  readonly consumer: string
  /** Whether the triggers fire for replicated writes, too. */
  readonly enableAlways: boolean
  /**
   * Makes the triggers of a captured table that are not there. Throws where others hold a lock on it.
   *
   * @param isUrgent whether changes may be missed until then.
   */
  readonly capture: (oid: string, table: TableName, isUrgent: boolean) => Promise<void>
  /** The name that a captured table was asked for. */
  readonly nameOf: (oid: string) => TableName | undefined
  readonly notify: (notice: DriverNotice) => void
  /** Hears of what is refused, and costs no more than it has to. */
  readonly refusals: RefusalNotices
  readonly memory: WatchMemory
  /** The versions of the triggers have changed. */
  readonly remember: (versions: ReadonlyMap<string, string>) => Promise<void>
}

/** Why changes of a table may have been missed. */
interface Loss {
  /** What has become of the table. */
  readonly what: string
  /** What PostgreSQL has refused, where that is why it is not captured as it should be; `null`: nothing. */
  readonly refusal: string | null
}

/** What is not tried again at once. */
interface Resting {
  readonly rest: GrowingRest
  /** What is so until then. */
  readonly loss: Loss | null
}

/**
 * Looks whether captured tables still are, and gives notice of a gap, once, where one is not: it was dropped, replaced,
 * or attached to another one, or somebody dropped its triggers, switched them off, or switched them off and on again.
 * Partitions that were made meanwhile get the trigger that a partitioned table cannot hand down.
 */
export function captureWatch(task: CaptureWatchTask): () => Promise<void> {
  const { connection, schema, consumer, enableAlways, nameOf, notify, memory } = task
  let turn: Promise<unknown> = Promise.resolve()
  const rests = new Map<string, Resting>()

  const look = async (): Promise<void> => {
    const rows = await connection.rows<Found>(FIND_WANTED_TRIGGERS, [consumer])
    const telling = new Set<string>()
    for (const oid of new Set(rows.map((row) => row.oid))) {
      const table = nameOf(oid)
      if (table === undefined) continue
      const found = rows.filter((row) => row.oid === oid)
      const altered = found.some(({ trigger, version }) => (memory.versions.get(trigger ?? '') ?? version) !== version)
      const lost = await whatIsLost(oid, table, found)
      const reason = lost?.what ?? (altered ? 'was altered: its triggers were switched off for a while' : null)
      const refusal = lost?.refusal ?? null
      // When it is captured as it should be again, that is the end of what was missed.
      const key = `${oid} ${reason}${refusal === null ? '' : ' still'}`
      if (lost !== null) telling.add(key)
      if (reason !== null && !memory.told.has(key)) {
        const text = `The captured table ${formatTableName(table)} ${reason}, and its changes may have been missed.`
        const more =
          refusal === null
            ? ''
            : ` More may be missed for as long as its triggers cannot be changed. ${refusal} It is tried again, more and more rarely.`
        notify({ kind: 'gap', from: null, to: null, reason: `${text}${more}` })
      }
    }
    memory.told = telling
    const versions = new Map(
      rows.flatMap(({ trigger, version }) => (trigger === null ? [] : [[trigger, version ?? '']])),
    )
    const isSame =
      versions.size === memory.versions.size &&
      [...versions].every(([oid, version]) => memory.versions.get(oid) === version)
    if (!isSame) await task.remember(versions)
    memory.versions = versions
  }

  const whatIsLost = async (oid: string, table: TableName, found: readonly Found[]): Promise<Loss | null> => {
    const names = triggerNames(schema, oid)
    const has = (relation: string, name: string): boolean =>
      found.some((row) => row.relation === relation && row.name === name)
    const all = [names.row, ...names.statement, names.signal, names.rowSignal, names.truncate]
    const isOff = found.some(({ name, enabled }) => enabled === 'D' && name !== null && all.includes(name))
    const [first] = found
    // What nobody wants needs no trigger.
    const { operations } = first?.part ?? WHOLE
    const needed = names.statement.filter((_, index) => operations.some((one) => one === ROW_OPERATIONS[index]))
    const byRow = has(oid, names.row)
    const byStatement = !byRow && needed.every((name) => has(oid, name))
    // Those that are there beside what captures rows tell nothing of them.
    const isSignalled = !byStatement && !byRow && (has(oid, names.signal) || has(oid, names.rowSignal))
    if (isOff || !(byStatement || byRow || isSignalled) || !has(oid, names.truncate)) {
      return lossOf('has lost its triggers, or they are switched off (stop its listeners, and listen to it again)')
    }
    if (first === undefined) return null
    if (first.is_partition === true) {
      return lossOf('has become a partition of another one, whose name its changes carry')
    }
    if (first.schema !== table.schema || first.table !== table.name) {
      const [named] = await connection.rows<{ oid: string }>(FIND_NAMED, [table.schema, table.name])
      if (named !== undefined) {
        return lossOf('was replaced by another one of that name (stop its listeners, and listen again)')
      }
    }
    const isWhole = found.every(({ relation }) => has(relation, names.truncate))
    const isAlways = found.some(
      ({ relation, name, enabled }) =>
        relation === oid && enabled === 'A' && (name === names.row || name === names.rowSignal),
    )
    const mayStay = enableAlways || !first.isOwned || isAlways
    const isRightOfRows = byStatement ? first.kind === 'statement' : byRow && (first.kind === 'row' || mayStay)
    const isRightOfSignals = isSignalled
      ? has(oid, names.rowSignal)
        ? first.signalKind === 'row signal' || mayStay
        : first.signalKind === 'signal'
      : !first.isOwned
    const isRightKind = first.hasRows ? isRightOfRows : isRightOfSignals
    // Nobody may want it any more.
    if ((isWhole && isRightKind) || nameOf(oid) === undefined) {
      rests.delete(oid)
      task.refusals.done(`capture ${oid}`)
      return null
    }
    // What was written through a parent, or to a child through this one, until now.
    const inherits = (byStatement || (isSignalled && !has(oid, names.rowSignal))) && first.inherits
    const relatives = inherits ? lossOf('has come to inherit from another one, or another one from it') : null
    // What only costs writers more than it need can wait.
    const tellsAll = byRow || (!first.hasRows && (byStatement || has(oid, names.rowSignal)))
    const canWait = isWhole && tellsAll && !inherits
    const last = rests.get(oid)
    const resting = last !== undefined && (last.loss === null) === canWait ? last : undefined
    const rest = resting?.rest ?? new GrowingRest()
    if (!rest.isOver) return resting?.loss ?? null
    rests.delete(oid)
    const partition =
      'has a partition that rowtap may not create a trigger on, so that nothing tells when it is truncated'
    try {
      await task.capture(oid, table, !canWait)
    } catch (error) {
      if (isLockFailure(error)) {
        rest.begin()
        // Where changes may be missed it is tried again at once, unless it was refused before.
        if (canWait || resting !== undefined) rests.set(oid, { rest, loss: resting?.loss ?? null })
        return resting?.loss ?? relatives
      }
      if (error instanceof RefusedDefinition) {
        const what = relatives?.what ?? (isRightKind ? partition : 'is not captured exactly any more')
        const loss = canWait ? null : { what, refusal: error.message }
        if (canWait) task.refusals.refused(`capture ${oid}`, error.message)
        rest.begin()
        rests.set(oid, { rest, loss })
        return loss
      }
      if (!RowtapError.is(error, 'ERR_SETUP_REQUIRED')) throw error
      return isRightKind ? lossOf(partition) : relatives
    }
    task.refusals.done(`capture ${oid}`)
    return relatives ?? (resting?.loss === null || resting === undefined ? null : lossOf(resting.loss.what))
  }

  return () => {
    const mine = turn.then(look)
    turn = mine.catch(() => {})
    return mine
  }
}

function lossOf(what: string): Loss {
  return { what, refusal: null }
}
