import type { PlannedStatement, TableName } from '@rowtap/core/driver'
import { inlineParameters } from '@rowtap/core/driver'
import type { Connection, Parameter, Queries } from '../connection/connection.ts'
import { COUNT_CONSUMERS, REGISTER_CONSUMER, REMOVE_EXPIRED, REMOVE_WANTED } from '../sql/consumer-statements.ts'
import { FIND_CAPTURE_FUNCTION, FIND_CONTENT, FIND_PARTS, FIND_SHAPE, NARROW_SHAPE } from '../sql/filter-statements.ts'
import {
  FIND_INSTALLATION,
  FIND_NAMED,
  FIND_TRIGGERS,
  FIND_UNWANTED_TRIGGERS,
  FIND_UNWANTED_WITHOUT,
  FIND_WANTED_TRIGGERS,
  LAST_MIGRATION,
  NOTE_MIGRATION,
  PARTITION_TREE,
} from '../sql/install-statements.ts'
import { FIND_INSTALLED_PARTS } from '../sql/installed-parts.ts'
import { MAY_LOCK } from '../sql/lock-statements.ts'
import { FIND_TABLE_FUNCTIONS, IS_FROM_ELSEWHERE } from '../sql/origin-statements.ts'
import type { Sql } from '../sql/sql.ts'
import { purposeOf } from './statement-purposes.ts'
import { dropTrigger } from './triggers.ts'
import type { UnwantedTrigger } from './uninstall.ts'

/** What stands for the number of a consumer that is not registered yet. */
const NEW_CONSUMER = ':consumer'

/** What stands for the number of a table's shape that is not recorded yet. */
const NEW_SHAPE = ':shape'

/** What reads, and may be run to plan. Everything else is only written down. */
const READS: ReadonlySet<Sql | string> = new Set([
  FIND_CAPTURE_FUNCTION,
  FIND_PARTS,
  FIND_INSTALLATION,
  FIND_INSTALLED_PARTS,
  FIND_NAMED,
  FIND_SHAPE,
  FIND_TABLE_FUNCTIONS,
  FIND_TRIGGERS,
  FIND_UNWANTED_TRIGGERS,
  FIND_WANTED_TRIGGERS,
  IS_FROM_ELSEWHERE,
  LAST_MIGRATION,
  MAY_LOCK,
  PARTITION_TREE,
])

/** What reads the queue's own tables. */
const OF_QUEUE: ReadonlySet<Sql> = new Set([FIND_UNWANTED_TRIGGERS, FIND_PARTS])

/** A connection for the code that captures, on which nothing happens. */
export interface PlanningConnection {
  readonly connection: Connection
  /** What would have been run so far. */
  readonly statements: readonly PlannedStatement[]
  /** Says which table the statements that follow are about. */
  about(table: TableName | null): void
}

/**
 * Answers as the database would, reads from it what is there, and writes down every other statement.
 *
 * @param isInstalled whether the queue is known to be there.
 */
export function planningConnection(real: Connection, schema: string, isInstalled: boolean): PlanningConnection {
  const statements: PlannedStatement[] = []
  let about: TableName | null = null
  let isFilled = isInstalled
  let willBeFilled = false
  let unwanted: readonly Parameter[] = ['0', []]
  let expiredAreGone = false
  let toDrop: readonly UnwantedTrigger[] = []

  const record = (statement: Sql | string, values: readonly Parameter[]): void => {
    const text = typeof statement === 'string' ? statement : statement.text(schema)
    // One that is not known yet is no text.
    const sql = inlineParameters(text.trim(), values).replaceAll(`'${NEW_CONSUMER}'`, NEW_CONSUMER)
    statements.push({ sql, purpose: purposeOf(statement), table: about })
    if (statement === NOTE_MIGRATION) willBeFilled = true
    if (statement === REMOVE_WANTED) unwanted = values
    if (statement === REMOVE_EXPIRED) expiredAreGone = true
  }

  const isDropped = (name: unknown, relation: Parameter | undefined): boolean =>
    toDrop.some(
      (one) =>
        one.name === name &&
        one.relation === relation &&
        statements.some(({ sql }) => sql === dropTrigger(one.name, { schema: one.schema, name: one.table })),
    )

  const read = async <R extends object>(statement: Sql, values: readonly Parameter[]): Promise<readonly R[]> => {
    // Its tables are not there yet, so that nobody can want anything.
    if (OF_QUEUE.has(statement) && !isFilled) return []
    if (statement === FIND_SHAPE) {
      const known = isFilled ? await real.rows<R>(statement, values) : []
      if (known.length > 0) return known
      return (await real.rows<R>(FIND_CONTENT, values)).map((row) => ({ ...row, shape: NEW_SHAPE }))
    }
    if (statement === FIND_UNWANTED_TRIGGERS) {
      const found = await real.rows<UnwantedTrigger & R>(FIND_UNWANTED_WITHOUT, [...unwanted, expiredAreGone])
      toDrop = found
      return found
    }
    const rows = await real.rows<R>(statement, values)
    if (statement === FIND_TRIGGERS) return rows.filter((row) => 'name' in row && !isDropped(row.name, values[0]))
    if (statement !== FIND_INSTALLATION) return rows
    isFilled = rows.some((row) => 'filled' in row && row.filled === true)
    return willBeFilled ? rows.map((row) => ({ ...row, ...INSTALLED })) : rows
  }

  const queries: Queries = {
    rows: async <R extends object>(statement: Sql, values: readonly Parameter[] = []): Promise<readonly R[]> => {
      if (READS.has(statement)) return await read<R>(statement, values)
      // By then there is the one that is planned, at least.
      if (statement !== COUNT_CONSUMERS) record(statement, values)
      // What a statement's rows hold is known to whoever reads them.
      return (ANSWERS.get(statement) ?? []) as readonly R[]
    },
    texts: () => Promise.reject(new Error('The queue is not read to plan.')),
    run: async (statement, values = []) => {
      record(statement, values)
      return await Promise.resolve(0)
    },
  }
  return {
    statements,
    about: (table) => {
      about = table
    },
    connection: {
      ...real,
      ...queries,
      transaction: async (body) => {
        record('begin', [])
        const result = await body(queries)
        record('commit', [])
        return result
      },
      onNotification: () => {},
      close: () => Promise.resolve(),
    },
  }
}

const INSTALLED = { exists: true, ours: true, filled: true, usable: true }

/** The rows of statements that are not run. */
const ANSWERS: ReadonlyMap<Sql, readonly object[]> = new Map([
  [REGISTER_CONSUMER, [{ id: NEW_CONSUMER, place: '', tag: '' }]],
  [COUNT_CONSUMERS, [{ consumers: 1 }]],
  [NARROW_SHAPE, [{ shape: ':columns' }]],
])
