import { randomBytes } from 'node:crypto'
import type { DriverHost, PlannedStatement } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { Coverage, UncoveredTable } from '../publication/coverage.ts'
import { readCoverage, uncovered } from '../publication/coverage.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import { commentOn, plannedComment, readComment, saveComment } from '../publication/publication-comment.ts'
import type { Lsn } from '../replication/lsn.ts'
import type { SubscriptionRecord } from './subscription-record.ts'
import { parseRecord, recordText } from './subscription-record.ts'

/** What a session finds when it takes a subscription. */
export interface RecalledSubscription {
  /** What was written down last, by this session or the one before it; `null`: nothing. */
  readonly record: SubscriptionRecord | null
  /** Whether it is this session that wrote it: nobody else had the subscription meanwhile. */
  readonly isOwn: boolean
  readonly coverage: Coverage
  /** What was covered, and was not all the time. */
  readonly uncovered: readonly UncoveredTable[]
}

/** Whose memory it is. */
export interface MemoryOwner {
  readonly name: CaptureName
  readonly host: Pick<DriverHost, 'signal' | 'notify'>
}

/**
 * Writes down with a subscription what it covers, so that whoever takes it next can tell what was not covered meanwhile.
 *
 * What is about to be taken out, or moved, is forgotten before, and what is added is remembered after: a process that ends
 * between is no reason to think that somebody else did it.
 */
export class SubscriptionMemory {
  readonly #session = randomBytes(8).toString('hex')
  #kept: SubscriptionRecord | null = null

  /** Reads what there is. The error of a failure is `pg`'s. */
  async recall(control: ControlConnection, name: CaptureName): Promise<RecalledSubscription> {
    const record = parseRecord(await readComment(control, name.publications.inserts))
    const coverage = await readCoverage(control, name)
    const before = this.#kept ?? record
    return {
      record,
      isOwn: record !== null && record.session === this.#session,
      coverage,
      uncovered: before === null ? [] : uncovered(before.tables, coverage.tables),
    }
  }

  /**
   * From now on it is this session that has the subscription, with what it covers as it was.
   *
   * @throws RowtapError
   */
  async take(
    control: ControlConnection,
    { name, host, systemId }: MemoryOwner & { readonly systemId: string },
    { record, isOwn, coverage, uncovered: missed }: RecalledSubscription,
  ): Promise<void> {
    if (isOwn && record?.systemId === systemId) return
    // What was missed is known for as long as nobody has captured it again.
    const { tables } = missed.length === 0 ? coverage : (this.#kept ?? record ?? coverage)
    await this.#keep(
      control,
      { name, host },
      {
        systemId,
        session: this.#session,
        closedAt: null,
        publications: coverage.publications,
        tables,
      },
    )
  }

  /**
   * Tables are about to be taken out: nothing is known of them meanwhile.
   *
   * @throws RowtapError
   */
  async takingOut(control: ControlConnection, of: MemoryOwner, oids: readonly number[]): Promise<void> {
    if (this.#kept === null) return
    const tables = this.#kept.tables.filter(({ oid }) => !oids.includes(oid))
    await this.#keep(control, of, { ...this.#kept, tables })
  }

  /**
   * What is covered is as it was wanted.
   *
   * @throws RowtapError
   */
  async settle(control: ControlConnection, of: MemoryOwner): Promise<void> {
    if (this.#kept === null) return
    await this.#keep(control, of, { ...this.#kept, ...(await readCoverage(control, of.name)) })
  }

  /** The session ends in good order. The error of a failure is `pg`'s. */
  async close(control: ControlConnection, name: CaptureName, flushed: Lsn): Promise<void> {
    if (this.#kept === null) return
    await control.query(commentOn(name.publications.inserts, recordText({ ...this.#kept, closedAt: flushed })))
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
