import { randomBytes } from 'node:crypto'
import type { DriverHost, PlannedStatement, TableName } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { Coverage, UncoveredTable } from '../publication/coverage.ts'
import { readCoverage, uncovered } from '../publication/coverage.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import type { KnownPartition } from '../publication/partition.ts'
import { commentOn, plannedComment, readComment, saveComment } from '../publication/publication-comment.ts'
import type { Lsn } from '../replication/lsn.ts'
import type { TimelineHistory } from '../replication/timeline-history.ts'
import { knownPartitions, moment, settledTables, takenTables } from './known-tables.ts'
import type { RecordedTable, SubscriptionRecord } from './subscription-record.ts'
import { parseRecord, recordText } from './subscription-record.ts'

/** What a session finds when it takes a subscription. */
export interface RecalledSubscription {
  /** What was written down last, by this session or the one before it; `null`: nothing. */
  readonly record: SubscriptionRecord | null
  /** Whether it is this session that wrote it: nobody else had the subscription meanwhile. */
  readonly isOwn: boolean
  readonly coverage: Coverage
  /** The tables as they are known from before; `null`: nothing is. */
  readonly before: readonly RecordedTable[] | null
  /** What was covered, and was not all the time; or rows of which came or went unseen. */
  readonly uncovered: readonly UncoveredTable[]
}

/** Whose memory it is. */
export interface MemoryOwner {
  readonly name: CaptureName
  readonly host: Pick<DriverHost, 'signal' | 'notify'>
}

/** The server that a subscription is of. */
export type MemoryServer = Pick<TimelineHistory, 'systemId' | 'timeline'>

/**
 * Writes down with a subscription what it covers, so that whoever takes it next can tell what was not covered meanwhile.
 *
 * What is about to be taken out, or moved, is forgotten before, and what is added is remembered after: a process that ends
 * between is no reason to think that somebody else did it. Since when a table is covered is drawn anew where changes of it were
 * missed: what was kept before that does not hold from then on, whenever the process ends.
 */
export class SubscriptionMemory {
  /** Stands for this session. */
  readonly session: string = randomBytes(8).toString('hex')
  #kept: SubscriptionRecord | null = null
  /** Tables that are taken out and added again by one transaction, as they were. */
  readonly #returning = new Map<number, RecordedTable>()
  /** What is below tables of which that was told, and that are not captured since. */
  readonly #moved = new Map<number, readonly KnownPartition[]>()
  /** Tables of which it was told that changes are missed. */
  readonly #told = new Set<number>()
  #turn: Promise<unknown> = Promise.resolve()

  /** Since when tables are covered without a break. */
  get since(): ReadonlyMap<number, string | null> {
    return new Map((this.#kept?.tables ?? []).map(({ oid, since }) => [oid, since]))
  }

  /** Reads what there is. The error of a failure is `pg`'s. */
  async recall(control: ControlConnection, name: CaptureName, server: MemoryServer): Promise<RecalledSubscription> {
    const record = parseRecord(await readComment(control, name.publications.inserts))
    const coverage = await readCoverage(control, name)
    const isOwn = record !== null && record.session === this.session
    const last = isOwn ? record : (this.#kept ?? record)
    // What an upgrade of the server makes anew is another one everywhere.
    const isSame = last?.systemId === server.systemId
    const before = last?.tables.map((table) => (isSame ? table : { ...table, partitions: null })) ?? null
    return {
      record,
      isOwn,
      coverage,
      before,
      uncovered: before === null ? [] : uncovered(before, coverage.tables),
    }
  }

  /**
   * From now on it is this session that has the subscription, with what it covers as it was.
   *
   * @throws RowtapError
   */
  take(
    control: ControlConnection,
    { name, host, server: { systemId, timeline } }: MemoryOwner & { readonly server: MemoryServer },
    { record, isOwn, coverage, before, uncovered: missed }: RecalledSubscription,
  ): Promise<void> {
    // What was missed while it stayed where it is does not tell from it when it is captured again.
    const altered = new Set(
      missed.flatMap(({ table, what }) => (what === 'what the publication says' ? [table.oid] : [])),
    )
    const asMissed = (table: RecordedTable): RecordedTable =>
      altered.has(table.oid) ? { ...table, since: moment() } : table
    return this.#inTurn(async () => {
      for (const { table, what } of missed) {
        this.#told.add(table.oid)
        const its = coverage.tables.find(({ oid }) => oid === table.oid)
        if (what === 'partitions' && its !== undefined)
          this.#moved.set(table.oid, knownPartitions(its.partitions, table.partitions))
      }
      if (isOwn && record?.systemId === systemId && record.timeline === timeline) {
        // What was being written when the connection was lost may have been, or not.
        this.#kept = record
        return
      }
      await this.#keep(
        control,
        { name, host },
        {
          systemId,
          timeline,
          session: this.session,
          closedAt: null,
          publications: coverage.publications,
          // What was missed is known for as long as nobody has captured it again.
          tables: missed.length === 0 ? takenTables(coverage.tables, before) : (before ?? []).map(asMissed),
        },
      )
    })
  }

  /**
   * Tables are about to be taken out: nothing is known of them meanwhile.
   *
   * @param returning those that the same transaction adds again.
   * @throws RowtapError
   */
  takingOut(
    control: ControlConnection,
    of: MemoryOwner,
    oids: readonly number[],
    returning: readonly number[],
  ): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#kept === null) return
      for (const table of this.#kept.tables) if (returning.includes(table.oid)) this.#returning.set(table.oid, table)
      const tables = this.#kept.tables.filter(({ oid }) => !oids.includes(oid))
      await this.#keep(control, of, { ...this.#kept, tables })
    })
  }

  /**
   * What is covered is as it was wanted.
   *
   * @param tell hears of tables of which changes were missed, and nobody was told, before that is written down: whoever takes
   *   the subscription from a process that ends between tells of it again.
   * @throws RowtapError
   */
  settle(control: ControlConnection, of: MemoryOwner, tell: (missed: readonly TableName[]) => void): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#kept === null) return
      const coverage = await readCoverage(control, of.name)
      const { tables, missed } = settledTables(coverage.tables, this.#kept.tables, this.#returning, this.#moved)
      const untold = missed.filter(({ oid }) => !this.#told.has(oid))
      if (untold.length > 0) tell(untold.map(({ schema, name }) => ({ schema, name })))
      await this.#keep(control, of, { ...this.#kept, publications: coverage.publications, tables })
      this.#returning.clear()
      this.#moved.clear()
      this.#told.clear()
    })
  }

  /**
   * Rows of a table came or went unseen, or may have: what was kept of it before does not hold.
   *
   * @throws RowtapError
   */
  missing(control: ControlConnection, of: MemoryOwner, oid: number): Promise<void> {
    return this.#inTurn(async () => {
      // What nobody has captured since has no such place yet.
      if (!this.#moved.has(oid)) await this.#change(control, of, oid, { since: moment() })
    })
  }

  /**
   * What is below a table is known to whoever has to know it.
   *
   * @throws RowtapError
   */
  know(
    control: ControlConnection,
    of: MemoryOwner,
    {
      oid,
      partitions,
      member,
    }: Pick<RecordedTable, 'oid'> & { readonly partitions: readonly KnownPartition[]; readonly member?: number },
  ): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#moved.has(oid)) this.#moved.set(oid, partitions)
      else await this.#change(control, of, oid, { partitions, ...(member === undefined ? {} : { member }) })
    })
  }

  /** It was told that changes of a table are missed. */
  told(oid: number): void {
    this.#told.add(oid)
  }

  /** The session ends in good order. The error of a failure is `pg`'s. */
  close(control: ControlConnection, name: CaptureName, flushed: Lsn): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#kept === null) return
      await control.query(commentOn(name.publications.inserts, recordText({ ...this.#kept, closedAt: flushed })))
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #change(
    control: ControlConnection,
    of: MemoryOwner,
    oid: number,
    change: Partial<RecordedTable>,
  ): Promise<void> {
    if (this.#kept === null) return
    const tables = this.#kept.tables.map((table) => (table.oid === oid ? { ...table, ...change } : table))
    await this.#keep(control, of, { ...this.#kept, tables })
  }

  async #keep(
    control: ControlConnection,
    { name: { publications }, host }: MemoryOwner,
    record: SubscriptionRecord,
  ): Promise<void> {
    const text = recordText(record)
    if (this.#kept === null || text !== recordText(this.#kept)) {
      await saveComment(control, { publication: publications.inserts, text, doing: 'keep what is captured' }, host)
    }
    this.#kept = record
  }
}

/** What a {@link SubscriptionMemory} executes. */
export function memoryStatement({ publications }: CaptureName): PlannedStatement {
  return {
    sql: plannedComment(publications.inserts, 'state'),
    purpose: 'Writes down with the subscription which tables it captures, for the next start to compare with.',
    table: null,
  }
}
