import type { Operation } from '../capabilities/capabilities.ts'
import type { PlannedStatement } from '../contract/driver.ts'
import type { TableName } from '../contract/table-name.ts'

/** What would be captured, and how: plain data, which JSON can hold. */
export interface Plan {
  /** The driver's name. */
  readonly driver: string
  /** Those that are attached first. */
  readonly listeners: readonly PlannedListener[]
  /** Every statement that would be executed, in order. Statements that only read are left out. */
  readonly statements: readonly PlannedStatement[]
}

/** What becomes of one listener's options on its table. */
export interface PlannedListener {
  /** Whether it is attached already; otherwise it would be. */
  readonly isAttached: boolean
  readonly table: TableName
  readonly operations: readonly Operation[]
  /** Whether its events have rows; otherwise it is told only that there were changes, whatever their columns. */
  readonly rows: boolean
  /** The columns that rows would hold, in the table's order. */
  readonly columns: readonly string[]
  /** The columns that identify a row. */
  readonly key: readonly string[]
  /** The condition as SQL, its constants as PostgreSQL prints them; `null`: every row. */
  readonly where: string | null
  readonly transitions: 'exact' | 'idempotent'
  readonly oldRow: {
    /** The columns that the old row of an update or delete has. */
    readonly columns: 'all' | readonly string[]
    /** The statement that would make it `'all'`, where there is one. Nobody runs it unasked. */
    readonly statement: string | null
  }
  /** What is done for it, and where. */
  readonly parts: readonly PlannedPart[]
}

/** One part of a listener's work. */
export interface PlannedPart {
  readonly what: 'operations' | 'condition' | 'columns' | 'key change' | 'transitions' | 'snapshot' | 'rows'
  readonly where: 'database' | 'process'
  /** Why there: one sentence. */
  readonly why: string
}
