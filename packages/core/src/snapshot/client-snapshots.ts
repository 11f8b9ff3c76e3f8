import type { Change, DriverSession } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { SnapshotKey, SnapshotSource } from '../contract/snapshot-source.ts'
import type { TableName } from '../contract/table-name.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import type { Binding } from '../dispatch/binding.ts'
import { bindListener } from '../dispatch/binding.ts'
import type { ListenerCondition } from '../dispatch/listener-condition.ts'
import { snapshotSource } from './snapshot-key.ts'
import type { ForgottenProgress } from './snapshot-progress.ts'
import { SnapshotProgress } from './snapshot-progress.ts'
import { SnapshotRun } from './snapshot-run.ts'
import type { PastChanges } from './stored-snapshot.ts'
import { keptRanges, readProgress, snapshotName } from './stored-snapshot.ts'

/** What {@link ClientSnapshots} tell, and are told. */
export interface SnapshotsHost {
  readonly session: DriverSession
  readonly isDurable: boolean
  /** The last position that was dispatched; `null` before the first. */
  readonly dispatched: Position | null
  /** Everything that was dispatched before this is handled; `null`: all of it. */
  readonly firstUnfinished: Position | null
  /** Rows were given to a listener. */
  readonly given: (entry: AcknowledgementEntry) => void
  readonly done: (entry: AcknowledgementEntry) => void
  readonly roomMade: () => void
  /** How far the snapshots are cannot be kept. */
  failed(error: unknown): void
  /** A listener's table cannot be read any more. */
  unreadable(listener: TableListener, error: unknown): void
}

/** A listener with `snapshot` that is about to be live. */
export interface ComingSnapshot {
  readonly listener: TableListener
  readonly condition: ListenerCondition | null
  readonly binding: Binding
  readonly key: SnapshotKey
  /** The columns that it needs; `null` for all. */
  readonly columns: readonly string[] | null
}

/** The snapshots of a client's listeners, and how far they are. */
export class ClientSnapshots {
  readonly #host: SnapshotsHost
  readonly #source: SnapshotSource | null
  readonly #progress: SnapshotProgress | null
  readonly #runs = new Map<TableListener, SnapshotRun>()
  /** Up to where no change comes again, as the source said last. */
  #settled: Position | null = null

  constructor(host: SnapshotsHost) {
    this.#host = host
    const { snapshots = null } = host.session
    this.#source = snapshots
    if (snapshots === null || !host.isDurable) {
      this.#progress = null
      return
    }
    // Of a table that was not captured since, changes may have been missed.
    const kept = readProgress(snapshots.resumed).filter(
      ({ table }) => isCaptured(host.session, table) && (snapshots.resumes?.(table) ?? true),
    )
    this.#progress = new SnapshotProgress(kept, {
      save: (text) => snapshots.saveProgress(text),
      past: () => this.#look(),
      failed: (error) => host.failed(error),
    })
  }

  /**
   * Makes the run of a listener, before it is live.
   *
   * @returns whether it goes on with what the subscription has kept: then it is to be given every change.
   */
  add({ listener, condition, binding, key, columns }: ComingSnapshot): boolean {
    const source = snapshotSource(this.#host.session)
    const { request } = listener
    const name = snapshotName({
      table: request.table,
      where: condition?.tree ?? null,
      columns: request.columns,
      key: key.columns,
    })
    const kept = this.#progress?.claim(name) ?? null
    const run = new SnapshotRun({
      listener,
      source,
      key,
      columns: columns === null ? null : new Set([...columns, ...key.columns]),
      relation: binding.relation,
      bind: (relation) => (relation === binding.relation ? binding : bindListener(relation, request, condition)),
      ...(kept === null ? {} : { ranges: keptRanges(kept, (state) => source.visibility(state)) }),
      past: () => this.#past(),
      look: () => this.#look(),
      save: () => this.#save(),
      progressed: () => this.#progress?.changed(),
      given: this.#host.given,
      done: this.#host.done,
      roomMade: this.#host.roomMade,
      failed: (error) => this.#host.unreadable(listener, error),
    })
    this.#runs.set(listener, run)
    this.#progress?.add(run, name, request.table)
    listener.beginWith(run)
    return kept !== null
  }

  /** Forgets a listener that is gone, and how far its snapshot was. Resolves when that is kept, too. */
  async remove(listener: TableListener): Promise<void> {
    const run = this.#runs.get(listener) ?? listener.snapshot
    if (run === null) return
    this.#runs.delete(listener)
    await this.#progress?.remove(run)
  }

  /** A listener has ended, and may come back: how far its snapshot was holds until it misses a change. */
  leave(listener: TableListener): void {
    const run = this.#runs.get(listener)
    if (run === undefined) return
    this.#runs.delete(listener)
    this.#progress?.leave(run)
  }

  /** There may be room in some listener's buffer. */
  roomMade(): void {
    for (const run of this.#runs.values()) run.roomMade()
  }

  /**
   * Changes of these tables, or of any (`null`), were missed, and none is from now on. What is being read is read again; with
   * a subscription that begins anew, everything is.
   */
  missed(tables: readonly TableName[] | null): void {
    for (const [listener, run] of this.#runs) {
      if ((run.isDone && !this.#host.isDurable) || !isAmong(listener.request.table, tables)) continue
      listener.beginWith(run)
      run.beginAgain()
    }
    this.#progress?.missed(tables)
  }

  /** Changes of these tables, or of any (`null`), were missed, and more may be: nothing is kept for listeners that are not here. */
  missing(tables: readonly TableName[] | null): void {
    this.#progress?.missed(tables)
  }

  /**
   * Whether some of the changes must wait: what was kept for a listener that is not there does not hold from the first
   * change on that it does not see.
   */
  mustForget(changes: readonly Change[]): boolean {
    const progress = this.#progress
    return progress !== null && progress.hasUnclaimed && changes.some(({ relation }) => progress.isUnclaimed(relation))
  }

  /** Forgets what was kept for listeners of these tables that are not there. Resolves when that is kept. */
  async forget(tables: readonly TableName[], whose: ForgottenProgress = 'all'): Promise<void> {
    await this.#progress?.forget(tables, whose)
  }

  /** Nothing more is read. What was read is still delivered. */
  stop(): void {
    for (const run of this.#runs.values()) run.stop()
  }

  /** Keeps how far every snapshot is, for the last time. */
  async close(): Promise<void> {
    await this.#progress?.close()
  }

  /** What cannot be kept for one listener can be kept for none. */
  async #save(): Promise<void> {
    try {
      await this.#progress?.save()
    } catch (error) {
      this.#host.failed(error)
      throw error
    }
  }

  /** Up to where changes are past. */
  #past(): PastChanges {
    const { isDurable, firstUnfinished, dispatched } = this.#host
    const passed = this.#source?.passed() ?? null
    const upTo = passed !== null && (dispatched === null || passed > dispatched) ? passed : dispatched
    const before = isDurable ? firstUnfinished : null
    const handled = (until: Position): boolean => (before === null ? upTo !== null && until <= upTo : until < before)
    const settled = this.#settled
    // An ephemeral client ends with its crash, and some sources have what is acknowledged at once.
    const isLasting = isDurable && this.#source?.settled !== undefined
    return { handled, settled: isLasting ? (until) => settled !== null && until <= settled : handled }
  }

  async #look(): Promise<PastChanges> {
    if (this.#host.isDurable && this.#source?.settled !== undefined) this.#settled = await this.#source.settled()
    return this.#past()
  }
}

function isAmong({ schema, name }: TableName, tables: readonly TableName[] | null): boolean {
  return tables === null || tables.some((table) => table.schema === schema && table.name === name)
}

function isCaptured({ resumed = [] }: DriverSession, { schema, name }: TableName): boolean {
  return resumed.some(({ table, rows }) => rows !== false && table.schema === schema && table.name === name)
}
