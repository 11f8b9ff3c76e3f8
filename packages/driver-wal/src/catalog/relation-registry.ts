import type { CaptureRequest, ColumnType, Relation, RelationColumn, TableName } from '@rowtap/core/driver'
import { ColumnTypeBook, unknownType } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import type { TypeMessage } from '../pgoutput/type-message.ts'
import type { TypeParsers } from '../wal-driver-options.ts'
import { fullIdentity, oldRowsStatement } from './check-capturable.ts'
import { hasColumnList } from './listed-columns.ts'
import { KnownTypes } from './known-types.ts'
import { messageColumns } from './message-columns.ts'
import { quickParser } from './quick-parser.ts'
import { neverSent } from './never-sent.ts'
import type { RowIdentity } from './row-identity.ts'
import { identityOfMessage, identityOfTable } from './row-identity.ts'
import type { ColumnFacts, TableFacts } from './table-facts.ts'
import { readTableByOid } from './table-facts.ts'
import { IS_ALTERING } from './table-sql.ts'

interface Shape {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** The columns that changes have, in the server's order. */
  readonly sent: readonly ColumnFacts[]
  /** The columns that these changes do not have, because nobody wanted them. */
  readonly leftOut: readonly ColumnFacts[]
  /** The columns that changes never have. */
  readonly unsent: readonly ColumnFacts[]
  readonly primaryKey: readonly string[]
  readonly old: 'all' | readonly string[]
  readonly oldRowsStatement: string | null
}

/** What a relation was made of. */
interface Made {
  readonly shape: Shape
  /** The version of the types that were last seen to be the relation's. */
  readonly version: number
}

/** Knows the name that a table's changes are delivered under, whatever it is called meanwhile. */
export interface DeliveredNames {
  nameOf(oid: number): TableName | undefined
  /** The table that is captured under a name; `undefined` where there is none. */
  byName(table: TableName): { readonly oid: number } | undefined
  /** The tables of which not every column may have been published. */
  readonly inPart: ReadonlySet<number>
  /** The publications that changes come through. */
  readonly publications: readonly string[]
}

/** Makes relations, one object for each shape, whether the catalogue tells of it or the stream. */
export class RelationRegistry {
  readonly #control: ControlConnection
  readonly #types: TypeParsers
  readonly #names: DeliveredNames
  readonly #relations = new Map<string, Relation>()
  readonly #made = new WeakMap<Relation, Made>()
  readonly #columnTypes: ColumnTypeBook
  readonly #knownTypes = new KnownTypes()
  /** The object ids of the tables that were looked up, by name. */
  readonly #oids = new Map<string, number>()
  /** What identified a table's rows when it was last looked at, by object id. */
  readonly #identities = new Map<number, RowIdentity>()

  constructor(control: ControlConnection, types: TypeParsers, names: DeliveredNames) {
    this.#control = control
    this.#names = names
    this.#types = types
    this.#columnTypes = new ColumnTypeBook(control.queryRow)
  }

  /** The relation of a table as the catalogue has it now. The error of a failure is `pg`'s. */
  async ofTable(facts: TableFacts): Promise<Relation> {
    this.#knownTypes.add(facts.columns)
    await this.#columnTypes.read(facts.oid)
    this.#oids.set(keyOf(facts), facts.oid)
    const identity = identityOfTable(facts)
    this.#identities.set(facts.oid, identity)
    const { primaryKey, old } = identity
    return this.#relation({
      oid: facts.oid,
      schema: facts.schema,
      name: facts.name,
      sent: facts.columns.filter((column) => column.isSent),
      leftOut: [],
      unsent: facts.columns.filter((column) => !column.isSent),
      primaryKey,
      old,
      oldRowsStatement: old === 'all' ? null : oldRowsStatement(facts),
    })
  }

  /**
   * The relation of a shape that the stream announces, in a transaction that can be seen. The stream may be behind the
   * catalogue: columns are the stream's, and what the stream does not tell is what the catalogue has now.
   *
   * @param types the types that the stream has announced, by object id: a type may have been dropped meanwhile.
   */
  async ofMessage(message: RelationMessage, types: ReadonlyMap<number, TypeMessage> = new Map()): Promise<Relation> {
    const facts = await readTableByOid(this.#control, message.oid)
    // A column may have been given another collation.
    await this.#columnTypes.read(message.oid)
    const has = (name: string): boolean => message.columns.some((column) => column.name === name)
    this.#knownTypes.add(facts?.columns ?? [])
    const known = facts?.columns.filter((column) => column.isSent) ?? []
    const identity = identityOfMessage(
      message,
      facts === null ? null : identityOfTable(facts),
      this.#identities.get(message.oid) ?? null,
    )
    this.#identities.set(message.oid, identity)
    const { primaryKey, old } = identity
    const { schema, name } = this.#names.nameOf(message.oid) ?? message
    const sent = sameColumns(message, known)
      ? known
      : await messageColumns(this.#control, message, { facts, types, known: this.#knownTypes })
    // One that was renamed since is in the message under its name of then.
    const isSent = ({ name: column, number }: ColumnFacts): boolean =>
      sent.some((other) => other.name === column || (other.number !== null && other.number === number))
    const lacking = known.filter((column) => !isSent(column))
    return this.#relation({
      oid: message.oid,
      schema,
      name,
      sent,
      leftOut: lacking.length > 0 && (await this.#isInPart(message.oid)) ? lacking : [],
      unsent: facts?.columns.filter((column) => !column.isSent && !has(column.name)) ?? [],
      primaryKey,
      old,
      oldRowsStatement: old === 'all' ? null : facts?.kind === 'p' ? oldRowsStatement(facts) : fullIdentity(message),
    })
  }

  /** From now on {@link refresh} looks after the enumerations that conditions compare in these tables. */
  compare(requests: readonly CaptureRequest[]): void {
    const columns = new Map<number, ReadonlySet<string>>()
    for (const { table, comparedEnums } of requests) {
      // One that another connection looked up is known by its capture.
      const oid = this.#oids.get(keyOf(table)) ?? this.#names.byName(table)?.oid
      if (oid !== undefined && comparedEnums.size > 0) columns.set(oid, comparedEnums)
    }
    this.#columnTypes.compare(columns)
  }

  /** Whether there is anything to refresh. */
  get isComparing(): boolean {
    return this.#columnTypes.isComparing
  }

  /**
   * Looks whether labels of enumerations were added or renamed. The stream does not tell.
   *
   * @param transactions those whose changes have arrived.
   * @returns false where they are too young to be seen: it is to be called again.
   */
  refresh(transactions: readonly string[]): Promise<boolean> {
    return this.#columnTypes.refresh(transactions)
  }

  /**
   * Whether the catalogue is as new as what a transaction, whose changes arrive, did to a table. A transaction is in
   * the write-ahead log for a moment before it can be seen (as long as a standby takes, where commits wait for one), and
   * holds its locks until then.
   */
  async isSettled(oid: number, transaction: string): Promise<boolean> {
    const [row] = await this.#control.prepared<'altering'>('rowtap_is_altering', IS_ALTERING, [oid, transaction])
    return row?.altering !== 't'
  }

  /** The relation of the same shape, with the columns' types as they are known now. */
  current(relation: Relation): Relation {
    const made = this.#made.get(relation)
    if (made === undefined || made.version === this.#columnTypes.version) return relation
    return this.#relation(made.shape)
  }

  /** Whether a table is published without some of its columns. Somebody else may have done that, too. */
  async #isInPart(oid: number): Promise<boolean> {
    const { inPart, publications } = this.#names
    return inPart.has(oid) || hasColumnList(this.#control, oid, publications)
  }

  #relation(shape: Shape): Relation {
    const types = [...shape.sent, ...shape.leftOut, ...shape.unsent].map(({ name, baseTypeOid, typeName }) =>
      this.#columnTypes.typeOf(shape.oid, { name, typeOid: baseTypeOid, typeName }),
    )
    const key = JSON.stringify([shape, types])
    let relation = this.#relations.get(key)
    if (relation === undefined) {
      relation = this.#make(shape, types)
      this.#relations.set(key, relation)
    }
    this.#made.set(relation, { shape, version: this.#columnTypes.version })
    return relation
  }

  #make(shape: Shape, types: readonly ColumnType[]): Relation {
    // A row of the stream ends before the columns that it does not have.
    const columns = [...shape.sent, ...shape.leftOut, ...shape.unsent]
    const indexes = (names: readonly string[]): number[] =>
      names.map((name) => columns.findIndex((column) => column.name === name)).filter((index) => index >= 0)
    const isAll = shape.old === 'all' && shape.unsent.length === 0
    return {
      schema: shape.schema,
      name: shape.name,
      columns: columns.map((column, index): RelationColumn => ({
        name: column.name,
        ...(column.number === null ? {} : { number: column.number }),
        type: types[index] ?? unknownType(column.typeName),
        mayBeUnavailable: column.mayBeToasted || !column.isSent,
        neverSent: neverSent(column),
        ...(shape.leftOut.includes(column) ? { leftOut: true } : {}),
        typeOid: column.baseTypeOid,
        typeName: column.typeName,
        ...quickParser(column.baseTypeOid, this.#types.getTypeParser(column.baseTypeOid, 'text')),
      })),
      primaryKey: indexes(shape.primaryKey),
      oldColumns: isAll
        ? 'all'
        : indexes(shape.old === 'all' ? [...shape.sent, ...shape.leftOut].map((column) => column.name) : shape.old),
      oldRowsStatement: shape.oldRowsStatement,
    }
  }
}

function keyOf({ schema, name }: TableName): string {
  return JSON.stringify([schema, name])
}

function sameColumns(message: RelationMessage, known: readonly ColumnFacts[]): boolean {
  return (
    message.columns.length === known.length &&
    message.columns.every((column, index) => {
      const other = known[index]
      return (
        other?.name === column.name && other.typeOid === column.typeOid && other.typeModifier === column.typeModifier
      )
    })
  )
}
