import type { Change, LogicalMessage, Operation, Relation, Tuple } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import pg from 'pg'
import { RelationRegistry } from '../catalog/relation-registry.ts'
import { readTable } from '../catalog/table-facts.ts'
import { clientConfig } from '../connection/client-config.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import { InFlight } from '../replication/in-flight.ts'
import { WalMessages } from '../replication/wal-messages.ts'

const CREATE = `SELECT pg_create_logical_replication_slot('late_' || md5(current_database()), 'pgoutput', true)`
const TABLES = `SELECT schemaname AS schema, tablename AS name FROM pg_publication_tables WHERE pubname = 'late'`
const READ = `
  SELECT (lsn - '0/0')::text AS lsn, data
  FROM pg_logical_slot_get_binary_changes('late_' || md5(current_database()), NULL, NULL,
    'proto_version', '1', 'publication_names', 'late', 'messages', 'true')`

/** A change as its relation has it. */
export interface DecodedChange {
  readonly kind: Operation
  /** Schema and name. */
  readonly table: string
  /** The names of the key's columns. */
  readonly key: readonly string[]
  /** The values that it came with, parsed. */
  readonly new: Readonly<Record<string, unknown>> | null
  readonly old: Readonly<Record<string, unknown>> | null
  /** Names and types. */
  readonly columns: readonly string[]
  readonly relation: Relation
}

/** What a slot holds, read long after it was written. */
export interface LateReader extends AsyncDisposable {
  read(): Promise<{ readonly changes: readonly DecodedChange[]; readonly messages: readonly LogicalMessage[] }>
}

/**
 * A slot for the publication `late`, from now on. The tables that are in it now are described at once, or, as after a
 * restart of the client, not before they are read.
 */
export async function lateReader(database: TestDatabase, isKnown: boolean): Promise<LateReader> {
  await database.query(CREATE)
  const control = new ControlConnection(clientConfig(database.url))
  await control.connect()
  const registry = new RelationRegistry(control, pg.types, {
    nameOf: () => undefined,
    byName: () => undefined,
    inPart: new Set(),
    publications: [],
  })
  for (const { schema, name } of isKnown ? await database.query(TABLES) : []) {
    const facts = await readTable(control, { schema: String(schema), name: String(name) })
    if (facts !== null) await registry.ofTable(facts)
  }
  const messages: LogicalMessage[] = []
  const wal = new WalMessages({
    relations: registry,
    inFlight: new InFlight(),
    // It is read long after it was written.
    settled: () => Promise.resolve(),
    open: null,
    onMessage: (message) => void messages.push(message),
  })
  return {
    async read() {
      const changes: Change[] = []
      for (const { lsn, data } of await database.query(READ)) {
        if (!Buffer.isBuffer(data)) throw new TypeError('Binary data was expected.')
        const place = BigInt(String(lsn))
        await wal.take(data, 0, data.length, Number(place >> 32n), Number(place & 0xffffffffn), changes)
      }
      return { changes: changes.map(decoded), messages }
    },
    [Symbol.asyncDispose]: () => control.end(),
  }
}

function decoded(change: Change): DecodedChange {
  const { kind, relation } = change
  return {
    kind,
    table: `${relation.schema}.${relation.name}`,
    key: relation.primaryKey.map((index) => relation.columns[index]?.name ?? ''),
    new: rowOf(relation, change.new),
    old: rowOf(relation, change.old),
    columns: relation.columns.map(({ name, typeName }) => `${name} ${typeName}`),
    relation,
  }
}

function rowOf(relation: Relation, tuple: Tuple | null): Readonly<Record<string, unknown>> | null {
  if (tuple === null) return null
  const values = relation.columns.flatMap(({ name, parse }, index): [string, unknown][] => {
    const text = tuple.text(index)
    return text === undefined ? [] : [[name, text === null ? null : parse(text)]]
  })
  return Object.fromEntries(values)
}
