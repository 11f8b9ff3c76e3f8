import type { ChangeEvent, Row } from '@rowtap/core'
import { createHash } from 'node:crypto'
import type { JournalEntry, LedgerRow } from './ledger.ts'
import { LEDGER_TABLES } from './ledger.ts'

/** What an event says of a row, as a consumer hears of it and as the journal has it. */
export interface LedgerEvent {
  readonly table: string
  readonly kind: 'insert' | 'update' | 'delete'
  /** Whether it is one half of an update that changed the key. */
  readonly isHalf: boolean
  /** The transaction's id, its lower 32 bits. */
  readonly transaction: string
  /** The primary key. */
  readonly key: number
  readonly new: LedgerRow | null
  /** As far as it is known. */
  readonly old: Partial<LedgerRow> | null
}

/** An event that a consumer has handled: all that has to be the same when it is delivered again. */
export interface HandledEvent extends LedgerEvent {
  readonly id: string
  readonly position: string
  readonly commitTime: string | null
}

/** What is kept of an event. `null`: it is none that the ledger's writers make. */
export function handledEvent(event: ChangeEvent): HandledEvent | null {
  if (event.kind !== 'insert' && event.kind !== 'update' && event.kind !== 'delete') return null
  const { kind, table, id, position, transaction, derivedFrom, key } = event
  return {
    table,
    kind,
    isHalf: derivedFrom !== null,
    transaction: xidOf(transaction.id),
    key: Number(key['id']),
    new: event.new === null ? null : (ledgerRow(event.new) as LedgerRow),
    old: event.old === null ? null : ledgerRow(event.old),
    id,
    position,
    commitTime: transaction.commitTime?.toISOString() ?? null,
  }
}

/** The events that an entry of the journal comes to: two where the key was changed. */
export function journalEvents({ relation: table, transaction: xid8, before, after }: JournalEntry): LedgerEvent[] {
  const transaction = xidOf(xid8)
  const whole = LEDGER_TABLES.find(({ name }) => name === table)?.isFull === true
  const old = (row: LedgerRow): Partial<LedgerRow> => (whole ? row : { id: row.id })
  if (before === null)
    return after === null
      ? []
      : [{ table, kind: 'insert', isHalf: false, transaction, key: after.id, new: after, old: null }]
  const deleted: LedgerEvent = {
    table,
    kind: 'delete',
    isHalf: after !== null,
    transaction,
    key: before.id,
    new: null,
    old: old(before),
  }
  if (after === null) return [deleted]
  if (before.id !== after.id)
    return [deleted, { table, kind: 'insert', isHalf: true, transaction, key: after.id, new: after, old: null }]
  return [{ table, kind: 'update', isHalf: false, transaction, key: after.id, new: after, old: whole ? before : null }]
}

/** What tells a change from every other one, whatever id it is delivered with. */
export function identityOf(event: LedgerEvent): string {
  // A driver may know more of an old row than the replica identity promises: that makes no other change of it.
  const version = event.new?.version ?? (isFull(event) ? event.old?.version : undefined)
  return `${event.kind} of ${rowOf(event)}${version === undefined ? '' : `, version ${version}`}`
}

/** The row that an event is about, whatever its key is. */
export function rowOf(event: LedgerEvent): string {
  const { table, key, new: row, old } = event
  // Without full replica identity a deleted row has its key only, which never changes there.
  return isFull(event) ? `${table} serial ${row?.serial ?? old?.serial}` : `${table} id ${key}`
}

function isFull({ table }: LedgerEvent): boolean {
  return LEDGER_TABLES.find(({ name }) => name === table)?.isFull === true
}

/** How far a row is with an event: greater than with every event of the row before it. */
export function ageOf({ new: row, old }: LedgerEvent): number {
  return row === null ? (old?.version ?? Infinity) + 0.5 : row.version
}

function ledgerRow(row: Row): Partial<LedgerRow> {
  const note = row['note']
  return typeof note === 'string' && note.length > 100
    ? { ...row, note: `md5 ${createHash('md5').update(note).digest('hex')}` }
    : { ...row }
}

/** Logical replication tells the lower half of the id only. */
function xidOf(id: string): string {
  return String(BigInt(id) & 0xffffffffn)
}
