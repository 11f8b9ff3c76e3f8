import type { ChangeBatch, DriverHost, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import { fullIdentityStatements, lackingFullIdentity } from '../catalog/full-identity.ts'
import type { TableFacts } from '../catalog/table-facts.ts'
import { readTableByOid } from '../catalog/table-facts.ts'
import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import { sqlstateOf } from '../errors/database-error.ts'
import { parseLsn } from '../replication/lsn.ts'
import type { Lsn } from '../replication/lsn.ts'
import { alteredReason } from './altered-reason.ts'
import type { AttachedTable, AttachedTables } from './attached-tables.ts'
import { harmOf } from './check-identity.ts'
import type { CaptureName } from './capture-name.ts'
import type { CoverageMemory } from './coverage.ts'
import { addTables, dropTables } from './publication-sql.ts'
import { EmptiedPartitions } from './emptied-partitions.ts'
import { lastingReasons } from './lasting-reasons.ts'
import type { Naming } from './naming.ts'
import { renamedReason, wasRenamed } from './naming.ts'
import { movedPartitions } from './moved-partitions.ts'
import type { FoundPartition, KnownPartition } from './partition.ts'
import { WHOLE } from './published-part.ts'
import { takenOutGap } from './taken-out-gap.ts'
import { textOf } from './transaction-statements.ts'
import { WATCH } from './watch-sql.ts'

/** How long an application's updates may be refused because of a table that has lost its identity. */
const LOOK_MS = 250

/** What is to be told is told when there is a connection again. */
const LOSSES: ReadonlySet<string> = new Set(['ERR_CONNECTION_LOST', 'ERR_ABORTED', 'ERR_CLOSED'])

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
  /** Hears of it where somebody has dropped a publication of those names: the link cannot go on. */
  readonly dropped: (name: CaptureName) => void
  /** Hears of it right before it is told that changes of tables are missed, and when that was written down after. */
  readonly telling: () => void
}

/** What is known of one attached table since the last look. */
interface Seen {
  readonly version: string | null
  readonly facts: TableFacts | null
  /** Object ids of everything below it. */
  readonly family: ReadonlySet<number>
  /** Those below it whose names are known. */
  readonly partitions: readonly KnownPartition[]
  /** Since when it is called as it was when it was attached; `null`: not known, or it is called otherwise. */
  readonly naming: Naming | null
  /** What the user was told, and still holds. */
  readonly told: readonly string[]
}

/** What a look has found of one attached table. */
interface Look {
  readonly attached: AttachedTable
  readonly row: TextRow<Column>
  readonly before: Seen
  /** What is below it; `null`: the same as before. */
  readonly found: readonly FoundPartition[] | null
  /** Whether somebody else has altered what is published of it since. */
  readonly isAltered: boolean
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
  /** Tables of which it is to be written down what is below them, and then to be told what was missed of their partitions. */
  readonly #untold = new Map<number, readonly string[]>()
  /** The memberships of tables that were taken out and put back, by the tables' object ids, until that is told. */
  readonly #returned = new Map<number, number>()
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
    if (this.#isStopped) return
    if (rows.some(({ publications }) => publications !== '2')) {
      this.#parts.dropped(name)
      return
    }
    const looks = rows.flatMap((row): readonly Look[] => {
      const table = tables.find(({ oid }) => oid === Number(row.oid))
      if (table === undefined) return []
      const before = this.#seen.get(table.oid) ?? asAttached(table)
      // Before anything else runs on the connection.
      const isAltered = row.membership !== null && attached.memberships.isAnother(table.oid, row.membership)
      return [{ attached: table, row, before, found: foundPartitions(row), isAltered }]
    })
    for (const look of looks) await this.#lookAt(look, looks)
    this.#decide()
    await this.#tellMissed()
  }

  /** Of some partitions it may be known by now what became of them. */
  #decide(): void {
    const before = this.#emptied.undecided
    if (before.size === 0) return
    const { attached, passed } = this.#parts
    for (const { table, reason } of this.#emptied.reasons(passed)) this.#miss(attached.byName(table), reason)
    const now = this.#emptied.undecided
    for (const [oid, { partitions }] of this.#seen) {
      const isKnown = partitions.some((partition) => before.has(partition.oid) && !now.has(partition.oid))
      if (isKnown && !this.#untold.has(oid)) this.#untold.set(oid, [])
    }
  }

  /** Rows of a table may have come or gone unseen. */
  #miss(attached: AttachedTable | undefined, reason: string): void {
    if (attached === undefined) this.#tell([], reason)
    else this.#untold.set(attached.oid, [...(this.#untold.get(attached.oid) ?? []), reason])
  }

  /**
   * What was kept of a table before something of it is missed is no longer taken for whole before that is told; that it was
   * told is written down after: whoever takes the subscription from a process that ends between is told again.
   */
  async #tellMissed(): Promise<void> {
    const { attached, memory } = this.#parts
    for (const [oid, reasons] of this.#untold) {
      if (reasons.length > 0) {
        await memory?.missing(oid).catch(rethrowLoss)
        if (this.#isStopped) return
        const table = attached.byOid(oid)
        this.#untold.set(oid, [])
        for (const reason of reasons) this.#notify(table === undefined ? [] : [table.table], reason)
      }
      const seen = this.#seen.get(oid)
      const member = this.#returned.get(oid) ?? null
      if (seen !== undefined) await memory?.known(oid, this.#told(seen.partitions), member).catch(rethrowLoss)
      this.#untold.delete(oid)
      this.#returned.delete(oid)
    }
  }

  /** Partitions as somebody knows them who does not know yet why one is stored otherwise than before. */
  #told(partitions: readonly KnownPartition[]): readonly KnownPartition[] {
    const { undecided } = this.#emptied
    return partitions.map((partition) => ({ ...partition, file: undecided.get(partition.oid) ?? partition.file }))
  }

  async #lookAt(look: Look, looks: readonly Look[]): Promise<void> {
    const { attached, row, before, found } = look
    const facts = await this.#factsOf(attached, row, before)
    const lasting = lastingReasons({
      attached,
      facts,
      named: row.named === null ? null : Number(row.named),
      isPublished: row.publication !== null,
      isPartition: looks.some((other) => other !== look && isBelow(attached.oid, other)),
    })
    const partitions = found ?? (row.version === null ? [] : before.partitions)
    const family = found === null ? before.family : new Set(found.map(({ oid }) => oid))
    const naming = namingOf(attached, row)
    this.#seen.set(attached.oid, { version: row.version, facts, family, partitions, naming, told: lasting })
    if (wasRenamed(before.naming, naming)) this.#miss(attached, renamedReason(attached.table))
    if (found !== null) {
      this.#emptied.compare(attached.table, before.partitions, found, parseLsn(row.place ?? '0/0'))
      if (!this.#untold.has(attached.oid)) this.#untold.set(attached.oid, [])
      const moved = facts === null ? [] : movedPartitions(attached.table, before, found)
      for (const reason of moved) this.#miss(attached, reason)
    }
    for (const reason of lasting.filter((one) => !before.told.includes(one))) {
      this.#parts.memory?.told(attached.oid)
      this.#tell([attached.table], reason)
    }
    if (look.isAltered) {
      const isAsMade = row.as_made === 't'
      this.#parts.memory?.told(attached.oid)
      if (isAsMade) this.#returned.set(attached.oid, Number(row.member))
      this.#miss(attached, alteredReason(attached.table, isAsMade))
    }
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
        await this.#parts.control.attempt(textOf(fullIdentityStatements(storage)))
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
    const isMissed = attached.kind === 'all'
    try {
      // What is missed is not forgotten before it is told: whoever takes the subscription from a process that ends between
      // finds it.
      if (!isMissed) await memory?.takingOut([facts.oid], [facts.oid])
      const statements = `${dropTables(all, [facts])};\n${addTables(inserts, [{ table: facts, part: WHOLE }])}`
      await this.#parts.attached.memberships.change(facts.oid, () => control.attempt(statements))
    } catch (error) {
      // It is locked, or has changed again: the next look is soon.
      if (sqlstateOf(error) !== null) return
      throw error
    }
    if (isMissed) {
      this.#tell(
        [attached.table],
        `Updates and deletes of ${formatTableName(attached.table)} are not captured any more. ${harm} Then stop its listeners, and listen to it again.`,
      )
    }
    memory?.told(facts.oid)
    await memory?.settled((missed) => {
      if (!this.#isStopped) this.#parts.host.notify(takenOutGap(missed, null))
    })
    // Since when it is covered was drawn anew after that was told.
    this.#parts.telling()
  }

  /** @param tables those of which changes are missed; none: it may be any. */
  #tell(tables: readonly TableName[], reason: string): void {
    if (!this.#isStopped) this.#notify(tables, reason)
  }

  #notify(tables: readonly TableName[], reason: string): void {
    this.#parts.telling()
    const of = tables.length === 0 ? {} : { tables }
    this.#parts.host.notify({ kind: 'gap', from: null, to: null, ...of, reason })
  }
}

/** Where something cannot be written down, what is missed is told all the same: at worst the next session is told again. */
function rethrowLoss(error: unknown): void {
  if (!RowtapError.is(error) || LOSSES.has(error.code)) throw error
}

type Column =
  | 'oid'
  | 'publications'
  | 'place'
  | 'named'
  | 'naming'
  | 'publication'
  | 'member'
  | 'membership'
  | 'as_made'
  | 'version'
  | 'partitions'

function foundPartitions({ partitions }: TextRow<Column>): readonly FoundPartition[] | null {
  // The statement builds this document, so its shape is known here.
  return partitions === null ? null : (JSON.parse(partitions) as FoundPartition[])
}

function namingOf({ oid }: AttachedTable, { named, naming }: TextRow<Column>): Naming | null {
  // The statement builds this document, so its shape is known here.
  return naming === null || Number(named) !== oid ? null : (JSON.parse(naming) as Naming)
}

function isBelow(oid: number, { found, before }: Look): boolean {
  return found === null ? before.family.has(oid) : found.some((partition) => partition.oid === oid)
}

function asAttached({ oid, facts, partitions }: AttachedTable): Seen {
  const stored = facts.storage
    .filter((storage) => storage.oid !== oid)
    .map(({ oid: partition, schema, name, file }) => ({ oid: partition, schema, name, file, link: null }))
  const known = partitions ?? stored
  return {
    version: null,
    facts,
    family: new Set(partitions === undefined ? facts.family : known.map((partition) => partition.oid)),
    partitions: known,
    naming: null,
    told: [],
  }
}
