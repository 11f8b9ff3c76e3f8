import type { ChangeBatch, DriverHost, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import { fullIdentityStatements, lackingFullIdentity } from '../catalog/full-identity.ts'
import type { TableFacts } from '../catalog/table-facts.ts'
import { readTableByOid } from '../catalog/table-facts.ts'
import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import { sqlstateOf } from '../errors/database-error.ts'
import { parseLsn } from '../replication/lsn.ts'
import type { Lsn } from '../replication/lsn.ts'
import type { AttachedTable, AttachedTables } from './attached-tables.ts'
import { harmOf } from './check-identity.ts'
import type { CaptureName } from './capture-name.ts'
import type { CoverageMemory } from './coverage.ts'
import { addTables, dropTables } from './publication-sql.ts'
import type { ChangedPartition } from './emptied-partitions.ts'
import { EmptiedPartitions } from './emptied-partitions.ts'
import { WHOLE } from './published-part.ts'
import { textOf } from './transaction-statements.ts'
import { WATCH } from './watch-sql.ts'

/** How long an application's updates may be refused because of a table that has lost its identity. */
const LOOK_MS = 250

/** What a {@link CaptureWatch} works with. */
export interface CaptureWatchParts {
  readonly control: ControlConnection
  readonly host: DriverHost
  readonly name: CaptureName
  readonly attached: AttachedTables
  /** Where what is published is written down; `null`: nowhere. */
  readonly memory: CoverageMemory | null
  /** Everything that was committed before this place was delivered. */
  readonly passed: Lsn
  /** Whether partitions that come are given full replica identity. */
  readonly fullIdentity: boolean
}

interface Partition extends ChangedPartition {
  /** Made as a partition, and so without rows; otherwise it was a table of its own before. */
  readonly isMade: boolean
}

/** What is known of one attached table since the last look. */
interface Seen {
  readonly version: string | null
  readonly facts: TableFacts | null
  /** Object ids of everything below it. */
  readonly family: readonly number[]
  /** Those below it whose names are known. */
  readonly partitions: readonly Partition[]
  /** What the user was told, and still holds. */
  readonly told: readonly string[]
}

/** What a look has found of one attached table. */
interface Look {
  readonly attached: AttachedTable
  readonly row: TextRow<Column>
  readonly before: Seen
  readonly partitions: readonly Partition[]
}

/**
 * Looks again and again whether captured tables still are what they were when they were attached. Where changes may be
 * missed, it gives notice of a gap, once. A table that has lost its replica identity is published without updates
 * and deletes from then on: PostgreSQL would go on to refuse them to the application.
 */
export class CaptureWatch {
  readonly #parts: CaptureWatchParts
  readonly #seen = new Map<number, Seen>()
  /** Object ids of the partitions that were given full identity. */
  readonly #identified = new Set<number>()
  readonly #emptied = new EmptiedPartitions()
  #timer: NodeJS.Timeout | null = null
  #isStopped = false

  constructor(parts: CaptureWatchParts) {
    this.#parts = parts
  }

  /** Looks from now on, until it is stopped or the connection is lost. */
  start(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      // Nothing that goes wrong here is final: the next look comes, and a lost connection is told elsewhere.
      void this.#look()
        .catch(() => undefined)
        .then(() => this.start())
    }, LOOK_MS)
  }

  /** Changes are delivered. */
  delivered({ changes }: Pick<ChangeBatch, 'changes'>): void {
    for (const { kind, relation, transaction } of changes) {
      if (kind === 'truncate') this.#emptied.truncated(relation, transaction.id)
    }
  }

  /** Looks and tells no more. */
  stop(): void {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    const { control, name, attached } = this.#parts
    const tables = attached.all
    for (const oid of this.#seen.keys()) if (!tables.some((table) => table.oid === oid)) this.#seen.delete(oid)
    if (tables.length === 0) return
    const rows = await control.prepared<Column>('rowtap_watch', WATCH, [
      tables.map(({ oid }) => oid),
      tables.map(({ table }) => table.schema),
      tables.map(({ table }) => table.name),
      name.publications.all,
      name.publications.inserts,
      tables.map(({ oid }) => this.#seen.get(oid)?.version ?? null),
    ])
    const looks = rows.flatMap((row): readonly Look[] => {
      const table = tables.find(({ oid }) => oid === Number(row.oid))
      if (table === undefined) return []
      const before = this.#seen.get(table.oid) ?? asAttached(table)
      return [{ attached: table, row, before, partitions: partitionsOf(row, before) }]
    })
    for (const look of looks) await this.#lookAt(look, looks)
    for (const reason of this.#emptied.reasons(this.#parts.passed)) this.#tell(reason)
  }

  async #lookAt(look: Look, looks: readonly Look[]): Promise<void> {
    const { attached, row, before, partitions } = look
    const facts = await this.#factsOf(attached, row, before)
    const lasting = lastingReasons(look, looks, facts)
    this.#seen.set(attached.oid, {
      version: row.version,
      facts,
      family: partitions.map(({ oid }) => oid),
      partitions,
      told: lasting,
    })
    this.#emptied.compare(attached.table, before.partitions, partitions, parseLsn(row.place ?? '0/0'))
    const passing = facts === null ? [] : movedPartitions(attached.table, before, partitions)
    for (const reason of [...lasting.filter((one) => !before.told.includes(one)), ...passing]) this.#tell(reason)
    if (facts !== null && row.publication === this.#parts.name.publications.all) {
      if (this.#parts.fullIdentity) await this.#giveFullIdentity(attached, facts)
      await this.#spareWriters(attached, facts)
    }
  }

  async #factsOf({ oid }: AttachedTable, { version }: TextRow<Column>, before: Seen): Promise<TableFacts | null> {
    if (version === null) return null
    return version === before.version ? before.facts : readTableByOid(this.#parts.control, oid)
  }

  /** A partition that has come since does not have the identity of the others. What somebody changed later stays. */
  async #giveFullIdentity(attached: AttachedTable, facts: TableFacts): Promise<void> {
    for (const storage of lackingFullIdentity(facts)) {
      if (this.#identified.has(storage.oid) || attached.facts.family.includes(storage.oid)) continue
      try {
        await this.#parts.control.transaction(textOf(fullIdentityStatements(storage)))
        this.#identified.add(storage.oid)
      } catch (error) {
        // It is locked, or has changed again: the next look is soon.
        if (sqlstateOf(error) === null) throw error
      }
    }
  }

  async #spareWriters(attached: AttachedTable, facts: TableFacts): Promise<void> {
    const harm = harmOf(facts)
    if (harm === null) return
    const { control, name, memory } = this.#parts
    const { all, inserts } = name.publications
    try {
      await memory?.takingOut([facts.oid])
      await control.query(`${dropTables(all, [facts])};\n${addTables(inserts, [{ table: facts, part: WHOLE }])}`)
    } catch (error) {
      // It is locked, or has changed again: the next look is soon.
      if (sqlstateOf(error) !== null) return
      throw error
    }
    await memory?.settled()
    if (attached.kind === 'inserts') return
    this.#tell(
      `Updates and deletes of ${formatTableName(attached.table)} are not captured any more. ${harm} Then stop its listeners, and listen to it again.`,
    )
  }

  #tell(reason: string): void {
    if (!this.#isStopped) this.#parts.host.notify({ kind: 'gap', from: null, to: null, reason })
  }
}

type Column = 'oid' | 'place' | 'named' | 'publication' | 'version' | 'partitions'

function partitionsOf({ version, partitions }: TextRow<Column>, before: Seen): readonly Partition[] {
  if (partitions === null) return version === null ? [] : before.partitions
  // The statement builds this document, so its shape is known here.
  return JSON.parse(partitions) as Partition[]
}

/** Why changes of the table may be missed from now on. */
function lastingReasons(look: Look, looks: readonly Look[], facts: TableFacts | null): readonly string[] {
  const { attached, row } = look
  const name = formatTableName(attached.table)
  const again = 'Stop its listeners, and listen to it again.'
  const reasons: string[] = []
  if (facts === null) {
    const successor = row.named === null ? '' : ` A table that was made since is called the same. ${again}`
    return [`Table ${name} was dropped: nothing of it is captured any more.${successor}`]
  }
  if (row.named !== null && Number(row.named) !== attached.oid) {
    reasons.push(
      `Another table is called ${name} now: the one that is captured as ${name} is called ${formatTableName(facts)}, and changes of the other one are not captured. ${again}`,
    )
  }
  if (row.publication === null) {
    reasons.push(`Somebody took ${name} out of the publication: its changes are not captured any more. ${again}`)
  }
  const root = looks.find((other) => other !== look && other.partitions.some(({ oid }) => oid === attached.oid))
  if (root !== undefined) {
    reasons.push(
      `${name} is a partition of a table that is captured, too: its changes are delivered as changes of that one. Listen to it with another client.`,
    )
  }
  for (const storage of facts.storage) {
    const isLogged = storage.kind === 'r' && storage.persistence === 'p'
    if (isLogged) continue
    const what = storage.kind === 'r' ? 'unlogged' : 'no table of this database'
    reasons.push(
      `${formatTableName(storage)}, a partition of ${name}, is ${what}: its changes are not in the write-ahead log, and so not captured.`,
    )
  }
  return reasons
}

/** What came into the table, or left it, with all its rows and without a change. */
function movedPartitions(table: TableName, before: Seen, now: readonly Partition[]): readonly string[] {
  const name = formatTableName(table)
  const gone = before.partitions.filter((partition) => !now.some(({ oid }) => oid === partition.oid))
  const come = now.filter((partition) => !partition.isMade && !before.family.includes(partition.oid))
  return [
    ...gone.map(
      (partition) => `${formatTableName(partition)} is no partition of ${name} any more: its rows left unseen.`,
    ),
    ...come.map((partition) => `${formatTableName(partition)} became a partition of ${name}: its rows came unseen.`),
  ]
}

function asAttached({ oid, facts }: AttachedTable): Seen {
  return {
    version: null,
    facts,
    family: facts.family,
    partitions: facts.storage
      .filter((storage) => storage.oid !== oid)
      .map((storage) => ({ ...storage, isMade: false, writtenBy: '' })),
    told: [],
  }
}
