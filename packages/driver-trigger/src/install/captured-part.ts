import type { ShapeColumn, ShapeContent } from '../catalog/shape.ts'

/** What writes rows. (A TRUNCATE is captured in any case.) */
export type RowOperation = 'insert' | 'update' | 'delete'

/** Every operation, in the order in which they are named. */
export const ROW_OPERATIONS: readonly RowOperation[] = ['insert', 'update', 'delete']

/** A column, and what tells it from another one that is given its name later. */
export type PartColumn = Pick<ShapeColumn, 'name' | 'number' | 'typeOid'>

/** A condition as SQL, and the columns that it is about. */
export interface PartCondition {
  readonly sql: string
  readonly columns: readonly PartColumn[]
}

/** Which part of a table's changes is captured where statement triggers capture them. */
export interface CapturedPart {
  /** Whether rows are wanted, and not only that there were changes. */
  readonly rows: boolean
  readonly operations: readonly RowOperation[]
  /** The columns of rows, in the table's order; `null`: all. */
  readonly columns: readonly PartColumn[] | null
  /** Rows of which one of these is true, before or after the change; `null`: all. */
  readonly conditions: readonly PartCondition[] | null
}

/** All of a table. */
export const WHOLE: CapturedPart = { rows: true, operations: ROW_OPERATIONS, columns: null, conditions: null }

/** That there were changes of a table. */
export const WITHOUT_ROWS: CapturedPart = { ...WHOLE, rows: false }

/** More conditions than this are not worth their cost for each row, which its writer pays. */
export const MOST_CONDITIONS = 32

/** Whether nothing of a table is left out. */
export function isWhole({ rows, operations, columns, conditions }: CapturedPart): boolean {
  return rows && operations.length === ROW_OPERATIONS.length && columns === null && conditions === null
}

/**
 * What is in any of several parts. What names a column that is not there any more, or is another one now, is taken for
 * everything. Where rows are captured, only all of them tell of every change.
 */
export function unionOf(parts: readonly CapturedPart[], content: ShapeContent): CapturedPart {
  if (parts.some(({ rows }) => !rows)) return WHOLE
  const columns = new Map<string, PartColumn>()
  const conditions = new Map<string, PartCondition>()
  let [hasColumns, hasConditions] = [true, true]
  for (const part of parts) {
    if (part.columns?.every((column) => isThere(column, content)) !== true) hasColumns = false
    for (const column of part.columns ?? []) columns.set(column.name, column)
    const isKnown = part.conditions?.every((one) => one.columns.every((column) => isThere(column, content))) === true
    if (!isKnown) hasConditions = false
    for (const condition of part.conditions ?? []) conditions.set(condition.sql, condition)
  }
  return {
    rows: true,
    operations: ROW_OPERATIONS.filter((operation) => parts.some(({ operations }) => operations.includes(operation))),
    columns: hasColumns ? listedColumns(columns, content) : null,
    conditions:
      hasConditions && conditions.size <= MOST_CONDITIONS
        ? [...conditions.values()].toSorted((one, other) => (one.sql < other.sql ? -1 : 1))
        : null,
  }
}

/**
 * The columns of these names, and those of the primary key, in the table's order; `null` where these are all that changes
 * hold, or none.
 */
export function listedColumns(
  names: { readonly has: (name: string) => boolean },
  { columns, key }: ShapeContent,
): readonly PartColumn[] | null {
  const stored = columns.filter(({ virtual }) => !virtual)
  const listed = stored.filter(({ name }) => names.has(name) || key.includes(name))
  return listed.length === 0 || listed.length === stored.length ? null : listed.map(markOf)
}

/** What of a column a part remembers. */
export function markOf({ name, number, typeOid }: PartColumn): PartColumn {
  return { name, number, typeOid }
}

/** Whether a table still has a column, as it was. */
export function isThere(column: PartColumn, { columns }: ShapeContent): boolean {
  return columns.some(
    ({ name, number, typeOid, virtual }) =>
      !virtual && name === column.name && number === column.number && typeOid === column.typeOid,
  )
}

/** Whether what is captured tells of every change that these operations make. */
export function tellsOf(operations: readonly RowOperation[], { columns, conditions, ...part }: CapturedPart): boolean {
  return columns === null && conditions === null && operations.every((one) => part.operations.includes(one))
}

/** Whether one part holds nothing that the other does not. */
export function isWithin(inner: CapturedPart, outer: CapturedPart): boolean {
  if (!inner.rows || !outer.rows) return !inner.rows && tellsOf(inner.operations, outer)
  return (
    inner.operations.every((operation) => outer.operations.includes(operation)) &&
    isListedIn(inner.columns, outer.columns, isSameColumn) &&
    isListedIn(inner.conditions, outer.conditions, isSameCondition)
  )
}

/** Whether two parts are the same. */
export function isSame(one: CapturedPart, other: CapturedPart): boolean {
  return isWithin(one, other) && isWithin(other, one)
}

function isListedIn<T>(
  inner: readonly T[] | null,
  outer: readonly T[] | null,
  isOne: (one: T, other: T) => boolean,
): boolean {
  if (outer === null) return true
  return inner?.every((one) => outer.some((other) => isOne(one, other))) ?? false
}

function isSameColumn(one: PartColumn, other: PartColumn): boolean {
  return one.name === other.name && one.number === other.number && one.typeOid === other.typeOid
}

function isSameCondition(one: PartCondition, other: PartCondition): boolean {
  return (
    one.sql === other.sql &&
    one.columns.length === other.columns.length &&
    one.columns.every((column, index) => {
      const counterpart = other.columns[index]
      return counterpart !== undefined && isSameColumn(column, counterpart)
    })
  )
}
