import type {
  CaptureRequest,
  DriverHost,
  DriverNotice,
  PlannedStatement,
  Position,
  TableName,
} from '@rowtap/core/driver'
import { formatTableName, Waiting } from '@rowtap/core/driver'
import { fullIdentityStatements } from '../catalog/full-identity.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError, sqlstateOf } from '../errors/database-error.ts'
import { parseLsn } from '../replication/lsn.ts'
import type { TimelineHistory } from '../replication/timeline-history.ts'
import { positionBefore } from '../replication/wal-position.ts'
import type { AttachedTables } from './attached-tables.ts'
import { additionStatements, narrowingStatements, removalStatement, touchStatements } from './capture-statements.ts'
import { readPublished } from './durable-publications.ts'
import type { CaptureName } from './capture-name.ts'
import type { CoverageMemory } from './coverage.ts'
import { ALL_LOCK_HOLDERS, INSERT_PLACE, LOCK_HOLDERS } from './lock-sql.ts'
import type { Gate } from './gate.ts'
import type { Published, PublicationPlan, TableToPublish, WantedTable } from './publication-plan.ts'
import { kindOf, publicationPlan } from './publication-plan.ts'
import type { PublishedPart } from './published-part.ts'
import { WHOLE } from './published-part.ts'
import { Pushdown } from './pushdown.ts'
import { textOf } from './transaction-statements.ts'
import { waitForCommits, waitForWriters } from './wait-for-writers.ts'
import { WantedTables } from './wanted-tables.ts'

const LOCK_NOT_AVAILABLE = '55P03'
/** A table was dropped, or left the publication with it, after it was looked up. */
const VANISHED: readonly string[] = ['42P01', '42704']

/** What a {@link TableCapture} works with. */
export interface TableCaptureParts {
  readonly control: ControlConnection
  readonly host: DriverHost
  readonly name: CaptureName
  /** Whose log positions are of. */
  readonly history: TimelineHistory
  /** Where what is published is written down; `null`: nowhere. */
  readonly memory: CoverageMemory | null
  readonly attached: AttachedTables
  /** Holds back what the stream delivers. */
  readonly gate: Gate
  /** Whether tables whose updates or deletes are wanted are given full replica identity. */
  readonly fullIdentity: boolean
  /** Whether tables of which inserts alone are wanted are published in part. */
  readonly pushesDown: boolean
}

/** A table that is asked for, and which part of it the server would send. */
export interface TablePart {
  readonly request: CaptureRequest
  readonly part: PublishedPart
  /** Whether it is published whole since updates or deletes of it were wanted. */
  readonly isWhole: boolean
}

/** What the publications hold now. */
interface PublishedTables {
  readonly wanted: readonly WantedTable[]
  readonly plan: PublicationPlan
  /** Whether some table is to be delivered under another name than before. */
  readonly isRenamed: boolean
}

/** Keeps the tables in a client's publications equal to what is wanted. */
export class TableCapture {
  readonly #parts: TableCaptureParts
  readonly #pushdown: Pushdown
  readonly #wanted: WantedTables

  constructor(parts: TableCaptureParts) {
    this.#parts = parts
    this.#pushdown = new Pushdown(parts.pushesDown)
    this.#wanted = new WantedTables(parts, this.#pushdown)
  }

  /**
   * Publishes exactly these tables, and waits until they are live.
   *
   * @returns the position that separates what was committed before from what is delivered.
   * @throws RowtapError
   */
  async capture(requests: readonly CaptureRequest[]): Promise<Position> {
    try {
      const { wanted, plan, isRenamed } = await this.#publish(requests)
      await this.#remove(plan.remove)
      for (const table of plan.narrow) await this.#narrow(table)
      const { unsettled } = this.#parts.attached
      const family = new Set(wanted.flatMap(({ facts }) => facts.family))
      for (const oid of unsettled) if (!family.has(oid)) unsettled.delete(oid)
      const added = [...unsettled]
      if (added.length > 0) {
        await waitForWriters(this.#parts.control, added, new Waiting(this.#parts.host))
      }
      if (added.length > 0 || isRenamed) await this.#touch()
      for (const oid of added) unsettled.delete(oid)
      const from = await this.#separate(added.length > 0 ? added : wanted.flatMap(({ facts }) => facts.family))
      await this.#parts.memory?.settled()
      return from
    } catch (error) {
      const tables = requests.map(({ table }) => formatTableName(table)).join(', ')
      throw databaseError(error, tables === '' ? 'end the capture' : `capture ${tables}`)
    }
  }

  /**
   * The statements that capturing exactly these tables would run, as things are now.
   *
   * @throws RowtapError
   */
  async plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]> {
    const { name, attached, memory } = this.#parts
    try {
      const wanted = await this.#wanted.lookUp(requests)
      const plan = publicationPlan(wanted, await this.#published())
      const isRenamed = wanted.some(({ request, facts }) => {
        const before = attached.nameOf(facts.oid)
        return before !== undefined && formatTableName(before) !== formatTableName(request.table)
      })
      const statements = [
        ...(plan.add.length > 0 ? additionStatements(name, plan, 0) : []),
        ...plan.remove.map((table) => removalStatement(name, table)),
        ...plan.narrow.flatMap((table) => narrowingStatements(name, table)),
        ...(plan.add.length > 0 || isRenamed ? touchStatements(name) : []),
      ]
      const known = memory === null || statements.length === 0 ? [] : [memory.statement]
      return [
        ...(await this.#wanted.lackingIdentity(requests)).flatMap(fullIdentityStatements),
        ...(takenOut(plan).length > 0 ? known : []),
        ...statements,
        ...known,
      ]
    } catch (error) {
      throw databaseError(error, 'plan what to capture')
    }
  }

  /**
   * Which part of each table would be published.
   *
   * @throws RowtapError
   */
  async partsOf(requests: readonly CaptureRequest[]): Promise<readonly TablePart[]> {
    try {
      const published = await this.#published()
      const isWhole = (oid: number): boolean => published.some((table) => table.oid === oid && table.kind === 'all')
      const wanted = await this.#wanted.lookUp(requests)
      return wanted.map(({ request, facts, part }) => {
        const whole = isWhole(facts.oid)
        return { request, part: whole ? WHOLE : part, isWhole: whole }
      })
    } catch (error) {
      throw databaseError(error, 'plan what to capture')
    }
  }

  /** Adds what is missing, in one transaction. Looks again after each attempt: meanwhile anything may have changed. */
  async #publish(requests: readonly CaptureRequest[]): Promise<PublishedTables> {
    const { control, host, attached } = this.#parts
    const waiting = new Waiting(host)
    await this.#giveFullIdentity(requests)
    let isRenamed = false
    for (let attempt = 0; ; attempt += 1) {
      const wanted = await this.#wanted.lookUp(requests)
      const published = await this.#published()
      const plan = publicationPlan(wanted, published)
      // Before the first change that lacks a column can arrive, and while such a change may still be under way.
      for (const { oid, part } of published) if (part.columns !== null) attached.inPart.add(oid)
      for (const { facts, kind } of wanted) {
        if (this.#parts.pushesDown && kind === 'inserts') attached.inPart.add(facts.oid)
      }
      const tables = wanted.map(({ request, facts }) => ({
        oid: facts.oid,
        table: request.table,
        kind: kindOf(request),
        facts: attached.byOid(facts.oid)?.facts ?? facts,
      }))
      const missing = requests.flatMap(({ table }) =>
        wanted.some(({ request }) => request.table === table) ? [] : (attached.byName(table) ?? []),
      )
      if (attached.name(tables).length > 0) isRenamed = true
      const added = plan.add.flatMap(({ facts }) => facts.family).filter((oid) => !attached.unsettled.has(oid))
      for (const oid of added) attached.unsettled.add(oid)
      if (takenOut(plan).length > 0) await this.#parts.memory?.takingOut(takenOut(plan))
      try {
        if (plan.add.length > 0) await control.transaction(textOf(additionStatements(this.#parts.name, plan, attempt)))
        for (const { oid, table } of tables) {
          if ((attached.byName(table)?.oid ?? oid) !== oid) host.notify(successor(table))
        }
        attached.replace([...tables, ...missing])
        return { wanted, plan, isRenamed }
      } catch (error) {
        // Where the server says no, nothing was published; where it says nothing, that is not known.
        if (sqlstateOf(error) !== null) for (const oid of added) attached.unsettled.delete(oid)
        const family = plan.add.flatMap(({ facts }) => facts.family)
        if (isRefusal(error) && this.#pushdown.giveUp(plan.add)) continue
        await this.#afterFailure(error, waiting, LOCK_HOLDERS, family)
      }
    }
  }

  /**
   * Gives tables full identity, where that is asked for, before they are published. No transaction that wrote to one is
   * open then: every change that follows has its old row.
   */
  async #giveFullIdentity(requests: readonly CaptureRequest[]): Promise<void> {
    const waiting = new Waiting(this.#parts.host)
    for (;;) {
      // What would be refused is refused before anything is altered.
      await this.#wanted.lookUp(requests)
      const [lacking] = await this.#wanted.lackingIdentity(requests)
      if (lacking === undefined) return
      try {
        await this.#parts.control.transaction(textOf(fullIdentityStatements(lacking)))
      } catch (error) {
        await this.#afterFailure(error, waiting, ALL_LOCK_HOLDERS, [lacking.oid])
      }
    }
  }

  /** Publishes less of a table. Where it is locked, more is published until the next call: core leaves it out. */
  async #narrow(table: TableToPublish): Promise<void> {
    const { control, name } = this.#parts
    try {
      await control.transaction(textOf(narrowingStatements(name, table)))
    } catch (error) {
      if (sqlstateOf(error) === null) throw error
    }
  }

  #published(): Promise<readonly Published[]> {
    return readPublished(this.#parts.control, this.#parts.name)
  }

  /** Pauses where trying again may help, otherwise throws. */
  async #afterFailure(error: unknown, waiting: Waiting, statement: string, tables: readonly number[]): Promise<void> {
    const sqlstate = sqlstateOf(error)
    if (sqlstate !== null && VANISHED.includes(sqlstate)) return
    if (sqlstate !== LOCK_NOT_AVAILABLE) throw error
    const holders = await this.#parts.control.query<'pid'>(statement, [tables])
    await waiting.pause(
      'Waiting for a lock on the table, to capture it: another session changes, vacuums or locks it.',
      holders.map((row) => Number(row.pid)).toSorted((a, b) => a - b),
    )
  }

  /** A table that is locked stays published until the next call: nobody waits for the end of what they do not want. */
  async #remove(tables: readonly Published[]): Promise<void> {
    const { control, name } = this.#parts
    for (const table of tables) {
      try {
        await control.query(removalStatement(name, table).sql)
      } catch (error) {
        const sqlstate = sqlstateOf(error)
        if (sqlstate !== LOCK_NOT_AVAILABLE && !(sqlstate !== null && VANISHED.includes(sqlstate))) throw error
      }
    }
  }

  /**
   * Makes the stream look at the tables, and announce them, once more. Where a transaction wrote to a table both
   * before and after it was published, servers before 14.18, 15.13, 16.9 and 17.5 remember that the table is not
   * published, and keep to it for every transaction that follows. No such transaction is left now.
   */
  async #touch(): Promise<void> {
    const { control, name } = this.#parts
    await control.transaction(textOf(touchStatements(name)))
  }

  /** Everything of these tables that is committed before the returned position can be seen by a SELECT. */
  async #separate(tables: readonly number[]): Promise<Position> {
    const { control, host, gate, history } = this.#parts
    // What arrives from here on must not be handed out before the caller knows that it belongs to the new set.
    const open = gate.close()
    try {
      const [row] = await control.query<'place'>(INSERT_PLACE)
      await waitForCommits(control, tables, new Waiting(host))
      return positionBefore(parseLsn(row?.place ?? ''), history)
    } finally {
      setImmediate(open)
    }
  }
}

/** The object ids of the tables that leave a publication, if only for a moment. */
function takenOut({ replace, remove, narrow }: PublicationPlan): readonly number[] {
  return [...replace.map(({ oid }) => oid), ...remove.map(({ oid }) => oid), ...narrow.map(({ facts }) => facts.oid)]
}

function successor(table: TableName): DriverNotice {
  const reason = `Another table is called ${formatTableName(table)} than before, and is captured from now on: what was written to it until now was missed.`
  return { kind: 'gap', from: null, to: null, reason }
}

/** Whether the server said no to what a statement says, and not for what others do. */
function isRefusal(error: unknown): boolean {
  const sqlstate = sqlstateOf(error)
  return sqlstate !== null && sqlstate !== LOCK_NOT_AVAILABLE && !VANISHED.includes(sqlstate)
}
