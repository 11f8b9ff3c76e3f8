import type { Client } from 'pg'
import type { TestDatabase } from '../postgres/test-database.ts'
import { CREATE_JOURNAL, CREATE_TABLES, READ_JOURNAL, READ_TABLES } from './ledger-sql.ts'

/** A table whose changes are captured. */
export interface LedgerTable {
  /** Its name, in the schema `public`. */
  readonly name: string
  /** Whether it has full replica identity, so that old rows are whole. Without it keys never change. */
  readonly isFull: boolean
}

/** The tables whose changes are captured. */
export const LEDGER_TABLES: readonly LedgerTable[] = [
  { name: 'chaos_accounts', isFull: true },
  { name: 'chaos_ledger', isFull: false },
]

/** A row of either table, with a digest in the place of a long note. */
export interface LedgerRow {
  readonly id: number
  /** What the row is called in its whole life: a new key does not change it. */
  readonly serial: number
  /** 1 when it is inserted, and one more with each update. */
  readonly version: number
  readonly amount: number
  readonly note: string | null
}

/** A change that was committed: one entry of the journal. */
export interface JournalEntry {
  /** `xid8` */
  readonly transaction: string
  readonly relation: string
  readonly before: LedgerRow | null
  readonly after: LedgerRow | null
}

/** A row of one of the tables. */
export interface TableRow extends LedgerRow {
  readonly relation: string
}

/** Creates the tables and the journal of what is written to them. */
export async function createLedger(database: TestDatabase): Promise<void> {
  await withConnection(database, async (connection) => {
    await connection.query(CREATE_TABLES)
    await connection.query(CREATE_JOURNAL)
  })
}

/** Everything that was committed, each transaction's changes in their order. */
export function readJournal(database: TestDatabase): Promise<readonly JournalEntry[]> {
  return withConnection(database, async (connection) => (await connection.query<JournalEntry>(READ_JOURNAL)).rows)
}

/** What the tables hold. */
export function readLedger(database: TestDatabase): Promise<readonly TableRow[]> {
  return withConnection(database, async (connection) => (await connection.query<TableRow>(READ_TABLES)).rows)
}

/** Runs something on a connection of its own: one that lasts does not outlive the server's restarts. */
export async function withConnection<T>(database: TestDatabase, use: (connection: Client) => Promise<T>): Promise<T> {
  const connection = await database.connect()
  try {
    return await use(connection)
  } finally {
    await connection.end()
  }
}
