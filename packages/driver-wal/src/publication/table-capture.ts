import type {
  CaptureRequest,
  DriverHost,
  DriverNotice,
  PlannedStatement,
  Position,
  TableName,
} from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import { checkCapturable, checkOwned } from '../catalog/check-capturable.ts'
import type { TableFacts } from '../catalog/table-facts.ts'
import { readTable, readTableByOid } from '../catalog/table-facts.ts'
import { tableMissing } from '../catalog/table-missing.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError, sqlstateOf } from '../errors/database-error.ts'
import { parseLsn } from '../replication/lsn.ts'
import { positionBefore } from '../replication/wal-position.ts'
import { Waiting } from '../session/waiting.ts'
import type { AttachedTable, AttachedTables } from './attached-tables.ts'
import { additionStatements, removalStatement, touchStatements } from './capture-statements.ts'
import { checkIdentity, harmOf } from './check-identity.ts'
import type { EphemeralName } from './ephemeral-name.ts'
import { INSERT_PLACE, LOCK_HOLDERS } from './lock-sql.ts'
import type { Gate } from './gate.ts'
import type { Published, PublicationPlan, WantedTable } from './publication-plan.ts'
import { kindOf, publicationPlan } from './publication-plan.ts'
import { PUBLISHED_TABLES } from './publication-sql.ts'
import { textOf } from './transaction-statements.ts'
import { waitForCommits, waitForWriters } from './wait-for-writers.ts'

const LOCK_NOT_AVAILABLE = '55P03'
/** A table was dropped, or left the publication with it, after it was looked up. */
const VANISHED: readonly string[] = ['42P01', '42704']

/** What a {@link TableCapture} works with. */
export interface TableCaptureParts {
  readonly control: ControlConnection
  readonly host: DriverHost
  readonly name: EphemeralName
  readonly attached: AttachedTables
  /** Holds back what the stream delivers. */
  readonly gate: Gate
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

  constructor(parts: TableCaptureParts) {
    this.#parts = parts
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
      const added = plan.add.flatMap(({ facts }) => facts.family)
      if (added.length > 0) {
        await waitForWriters(this.#parts.control, added, new Waiting(this.#parts.host))
      }
      if (added.length > 0 || isRenamed) await this.#touch()
      return await this.#separate(added.length > 0 ? added : wanted.flatMap(({ facts }) => facts.family))
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
    const { name, attached } = this.#parts
    try {
      const wanted = await this.#lookUp(requests)
      const plan = publicationPlan(wanted, await this.#published())
      const isRenamed = wanted.some(({ request, facts }) => {
        const before = attached.nameOf(facts.oid)
        return before !== undefined && formatTableName(before) !== formatTableName(request.table)
      })
      return [
        ...(plan.add.length > 0 ? additionStatements(name, plan, 0) : []),
        ...plan.remove.map((table) => removalStatement(name, table)),
        ...(plan.add.length > 0 || isRenamed ? touchStatements(name) : []),
      ]
    } catch (error) {
      throw databaseError(error, 'plan what to capture')
    }
  }

  /** Adds what is missing, in one transaction. Looks again after each attempt: meanwhile anything may have changed. */
  async #publish(requests: readonly CaptureRequest[]): Promise<PublishedTables> {
    const { control, host, attached } = this.#parts
    const waiting = new Waiting(host)
    let isRenamed = false
    for (let attempt = 0; ; attempt += 1) {
      const wanted = await this.#lookUp(requests)
      const plan = publicationPlan(wanted, await this.#published())
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
      try {
        if (plan.add.length > 0) await control.transaction(textOf(additionStatements(this.#parts.name, plan, attempt)))
        for (const { oid, table } of tables) {
          if ((attached.byName(table)?.oid ?? oid) !== oid) host.notify(successor(table))
        }
        attached.replace([...tables, ...missing])
        return { wanted, plan, isRenamed }
      } catch (error) {
        const family = plan.add.flatMap(({ facts }) => facts.family)
        await this.#afterFailure(error, family, waiting)
      }
    }
  }

  async #lookUp(requests: readonly CaptureRequest[]): Promise<readonly WantedTable[]> {
    const { control, attached } = this.#parts
    const wanted: WantedTable[] = []
    for (const request of requests) {
      const kept = attached.byName(request.table)
      const facts = await this.#find(request.table, kept)
      // A table that was dropped while it was captured: the watch tells of it, and others are not made to pay for it.
      if (facts === null) continue
      const kind = kindOf(request)
      if (kept?.oid === facts.oid && (kept.kind === kind || kept.kind === 'all')) {
        wanted.push({ request, facts, kind: harmOf(facts) === null ? kind : 'inserts' })
        continue
      }
      checkCapturable(facts)
      checkOwned(facts, control.user)
      if (kind === 'all') checkIdentity(facts)
      wanted.push({ request, facts, kind })
    }
    for (const { request, facts } of wanted) {
      const other = wanted.find((one) => one.facts.oid === facts.oid && one.request !== request)
      if (other !== undefined) throw sameTable(request, other.request)
    }
    return wanted
  }

  /** By its name; one that was renamed while it was captured, as the table that it is. */
  async #find({ schema, name }: TableName, kept: AttachedTable | undefined): Promise<TableFacts | null> {
    const { control } = this.#parts
    const facts = await readTable(control, { schema, name })
    if (facts !== null) return facts
    if (kept === undefined) throw await tableMissing(control, { schema, name })
    return readTableByOid(control, kept.oid)
  }

  async #published(): Promise<readonly Published[]> {
    const { control, name } = this.#parts
    const { all, inserts } = name.publications
    const rows = await control.query<'publication' | 'oid' | 'schema' | 'name'>(PUBLISHED_TABLES, [all, inserts])
    return rows.map((row) => ({
      oid: Number(row.oid),
      schema: row.schema ?? '',
      name: row.name ?? '',
      kind: row.publication === all ? 'all' : 'inserts',
    }))
  }

  /** Pauses where trying again may help, otherwise throws. */
  async #afterFailure(error: unknown, tables: readonly number[], waiting: Waiting): Promise<void> {
    const sqlstate = sqlstateOf(error)
    if (sqlstate !== null && VANISHED.includes(sqlstate)) return
    if (sqlstate !== LOCK_NOT_AVAILABLE) throw error
    const holders = await this.#parts.control.query<'pid'>(LOCK_HOLDERS, [tables])
    await waiting.pause(
      'Waiting for a lock on the table, to add it to the publication: another session changes, vacuums or locks it.',
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
    const { control, host, gate } = this.#parts
    // What arrives from here on must not be handed out before the caller knows that it belongs to the new set.
    const open = gate.close()
    try {
      const [row] = await control.query<'place'>(INSERT_PLACE)
      await waitForCommits(control, tables, new Waiting(host))
      return positionBefore(parseLsn(row?.place ?? ''))
    } finally {
      setImmediate(open)
    }
  }
}

function successor(table: TableName): DriverNotice {
  const reason = `Another table is called ${formatTableName(table)} than before, and is captured from now on: what was written to it until now was missed.`
  return { kind: 'gap', from: null, to: null, reason }
}

function sameTable(one: CaptureRequest, other: CaptureRequest): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `${formatTableName(one.table)} and ${formatTableName(other.table)} are the same table, which was renamed while it was captured: stop its listeners first, or listen with another client.`,
  })
}
