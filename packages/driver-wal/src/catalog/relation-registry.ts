import type { ColumnType, Relation, RelationColumn, TableName } from '@rowtap/core/driver'
import { COLUMN_TYPES_SQL, unknownType } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import type { TypeParsers } from '../wal-driver-options.ts'
import { fullIdentity, oldRowsStatement } from './check-capturable.ts'
import { ColumnTypeBook } from './column-type-book.ts'
import type { RowIdentity } from './row-identity.ts'
import { identityOfMessage, identityOfTable } from './row-identity.ts'
import type { ColumnFacts, TableFacts } from './table-facts.ts'
import { readTableByOid } from './table-facts.ts'
import { TYPES } from './table-sql.ts'

interface Shape {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** The columns that changes have, in the server's order. */
  readonly sent: readonly ColumnFacts[]
  /** The columns that changes never have. */
  readonly unsent: readonly ColumnFacts[]
  readonly primaryKey: readonly string[]
  readonly old: 'all' | readonly string[]
  readonly oldRowsStatement: string | null
}

/** Knows the name that a table's changes are delivered under, whatever it is called meanwhile. */
export interface DeliveredNames {
  nameOf(oid: number): TableName | undefined
}

/** Makes relations, one object for each shape, whether the catalogue tells of it or the stream. */
export class RelationRegistry {
  readonly #control: ControlConnection
  readonly #types: TypeParsers
  readonly #names: DeliveredNames
  readonly #relations = new Map<string, Relation>()
  readonly #columnTypes = new ColumnTypeBook()
  /** What identified a table's rows when it was last looked at, by object id. */
  readonly #identities = new Map<number, RowIdentity>()

  constructor(control: ControlConnection, types: TypeParsers, names: DeliveredNames) {
    this.#control = control
    this.#names = names
    this.#types = types
  }

  /** The relation of a table as the catalogue has it now. The error of a failure is `pg`'s. */
  async ofTable(facts: TableFacts): Promise<Relation> {
    const rows = await this.#control.query<'name' | 'definition'>(COLUMN_TYPES_SQL, [facts.oid])
    this.#columnTypes.set(facts, rows)
    const identity = identityOfTable(facts)
    this.#identities.set(facts.oid, identity)
    const { primaryKey, old } = identity
    return this.#relation({
      oid: facts.oid,
      schema: facts.schema,
      name: facts.name,
      sent: facts.columns.filter((column) => column.isSent),
      unsent: facts.columns.filter((column) => !column.isSent),
      primaryKey,
      old,
      oldRowsStatement: old === 'all' ? null : oldRowsStatement(facts),
    })
  }

  /**
   * The relation of a shape that the stream announces. The stream may be behind the catalogue: columns are the
   * stream's, and what the stream does not tell is what the catalogue has now.
   */
  async ofMessage(message: RelationMessage): Promise<Relation> {
    const facts = await readTableByOid(this.#control, message.oid)
    const has = (name: string): boolean => message.columns.some((column) => column.name === name)
    const known = facts?.columns.filter((column) => column.isSent) ?? []
    const identity = identityOfMessage(
      message,
      facts === null ? null : identityOfTable(facts),
      this.#identities.get(message.oid) ?? null,
    )
    this.#identities.set(message.oid, identity)
    const { primaryKey, old } = identity
    const { schema, name } = this.#names.nameOf(message.oid) ?? message
    return this.#relation({
      oid: message.oid,
      schema,
      name,
      sent: sameColumns(message, known) ? known : await this.#columnsOf(message),
      unsent: facts?.columns.filter((column) => !column.isSent && !has(column.name)) ?? [],
      primaryKey,
      old,
      oldRowsStatement: old === 'all' ? null : facts?.kind === 'p' ? oldRowsStatement(facts) : fullIdentity(message),
    })
  }

  async #columnsOf(message: RelationMessage): Promise<readonly ColumnFacts[]> {
    const types = await this.#control.query<'name' | 'base'>(TYPES, [
      message.columns.map((column) => column.typeOid),
      message.columns.map((column) => column.typeModifier),
    ])
    return message.columns.map(({ name, typeOid, typeModifier }, index) => {
      const type = types[index]
      // A type that was dropped meanwhile has no base any more; its values are text, as those of any unknown type.
      return {
        name,
        typeOid,
        typeModifier,
        typeName: type?.name ?? String(typeOid),
        baseTypeOid: Number(type?.base ?? typeOid),
        isSent: true,
        mayBeToasted: true,
      }
    })
  }

  #relation(shape: Shape): Relation {
    const types = [...shape.sent, ...shape.unsent].map((column) => this.#columnTypes.typeOf(shape.oid, column))
    const key = JSON.stringify([shape, types])
    let relation = this.#relations.get(key)
    if (relation === undefined) {
      relation = this.#make(shape, types)
      this.#relations.set(key, relation)
    }
    return relation
  }

  #make(shape: Shape, types: readonly ColumnType[]): Relation {
    // A row of the stream ends before the columns that it never has.
    const columns = [...shape.sent, ...shape.unsent]
    const indexes = (names: readonly string[]): number[] =>
      names.map((name) => columns.findIndex((column) => column.name === name)).filter((index) => index >= 0)
    const isAll = shape.old === 'all' && shape.unsent.length === 0
    return {
      schema: shape.schema,
      name: shape.name,
      columns: columns.map((column, index): RelationColumn => ({
        name: column.name,
        type: types[index] ?? unknownType(column.typeName),
        mayBeUnavailable: column.mayBeToasted || !column.isSent,
        typeOid: column.baseTypeOid,
        typeName: column.typeName,
        parse: this.#types.getTypeParser(column.baseTypeOid, 'text'),
      })),
      primaryKey: indexes(shape.primaryKey),
      oldColumns: isAll ? 'all' : indexes(shape.old === 'all' ? shape.sent.map((column) => column.name) : shape.old),
      oldRowsStatement: shape.oldRowsStatement,
    }
  }
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
