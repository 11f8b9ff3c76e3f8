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
import { SnapshotProgress } from './snapshot-progress.ts'
import { SnapshotRun } from './snapshot-run.ts'
import { keptRanges, readProgress, snapshotName } from './stored-snapshot.ts'

/** What {@link ClientSnapshots} tell, and are told. */
export interface SnapshotsHost {
  readonly session: DriverSession
  readonly isDurable: boolean
  /** The last position that was dispatched; `null` before the first. */
  readonly dispatched: Position | null
  /** The last position that was acknowledged; `null` before the first. */
  readonly acknowledged: Position | null
  /** Whether nothing of what was dispatched is still to be handled. */
  readonly isSettled: boolean
  /** Rows were given to a listener. */
  readonly given: (entry: AcknowledgementEntry) => void
  readonly done: (entry: AcknowledgementEntry) => void
  readonly roomMade: () => void
  failed(error: unknown): void
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

  constructor(host: SnapshotsHost) {
    this.#host = host
    const { snapshots = null } = host.session
    this.#source = snapshots
    if (snapshots === null || !host.isDurable) {
      this.#progress = null
      return
    }
    // Of a table that was not captured since, changes may have been missed.
    const kept = readProgress(snapshots.resumed).filter(({ table }) => isCaptured(host.session, table))
    this.#progress = new SnapshotProgress(kept, {
      save: (text) => snapshots.saveProgress(text),
      settled: () => this.#past(),
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
      passed: () => this.#past(),
      save: async () => await this.#progress?.save(),
      progressed: () => this.#progress?.changed(),
      given: this.#host.given,
      done: this.#host.done,
      roomMade: this.#host.roomMade,
      failed: (error) => this.#host.failed(error),
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

  /** Changes were missed. What is being read is read again; with a subscription that begins anew, everything is. */
  missed(): void {
    for (const [listener, run] of this.#runs) {
      if (run.isDone && !this.#host.isDurable) continue
      listener.beginWith(run)
      run.beginAgain()
    }
    this.#progress?.missed()
  }

  /**
   * Whether some of the changes must wait: what was kept for a listener that is not there does not hold from the first
   * change on that it does not see.
   */
  mustForget(changes: readonly Change[]): boolean {
    return this.#progress !== null && changes.some(({ relation }) => this.#progress?.isUnclaimed(relation))
  }

  /** Forgets what was kept for listeners of these tables that are not there. Resolves when that is kept. */
  async forget(tables: readonly TableName[]): Promise<void> {
    await this.#progress?.forget(tables)
  }

  /** Nothing more is read. What was read is still delivered. */
  stop(): void {
    for (const run of this.#runs.values()) run.stop()
  }

  /** Keeps how far every snapshot is, for the last time. */
  async close(): Promise<void> {
    await this.#progress?.close()
  }

  /** Up to where every change was dispatched, and with a subscription handled. */
  #past(): Position | null {
    const { isDurable, isSettled, acknowledged, dispatched } = this.#host
    if (isDurable && !isSettled) return acknowledged
    const passed = this.#source?.passed() ?? null
    return passed !== null && (dispatched === null || passed > dispatched) ? passed : dispatched
  }
}

function isCaptured({ resumed = [] }: DriverSession, { schema, name }: TableName): boolean {
  return resumed.some(({ table }) => table.schema === schema && table.name === name)
}
