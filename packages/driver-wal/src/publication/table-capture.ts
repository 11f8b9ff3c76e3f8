import type { CaptureRequest, DriverNotice, PlannedStatement, Position, TableName } from '@rowtap/core/driver'
import { formatTableName, Waiting } from '@rowtap/core/driver'
import { fullIdentityStatements } from '../catalog/full-identity.ts'
import { databaseError, sqlstateOf } from '../errors/database-error.ts'
import type { AttachedTable, AttachedTables } from './attached-tables.ts'
import { alteredReason } from './altered-reason.ts'
import { additionStatements, narrowingStatements, removalStatement, touchStatements } from './capture-statements.ts'
import { readPublished } from './durable-publications.ts'
import type { CaptureName } from './capture-name.ts'
import type { CoverageMemory } from './coverage.ts'
import { arePublicationsThere, publicationsDropped } from './dropped-publications.ts'
import { giveFullIdentity } from './give-full-identity.ts'
import { LOCK_HOLDERS } from './lock-sql.ts'
import type { DeliveredChanges, LivePositionParts } from './live-position.ts'
import { livePosition } from './live-position.ts'
import { isRefusal, pauseAfterFailure } from './pause-after-failure.ts'
import type { Published, PublicationPlan, TableToPublish, WantedTable } from './publication-plan.ts'
import { kindOf, publicationPlan } from './publication-plan.ts'
import type { PublishedPart } from './published-part.ts'
import { WHOLE } from './published-part.ts'
import { Pushdown } from './pushdown.ts'
import { takenOutGap } from './taken-out-gap.ts'
import { textOf } from './transaction-statements.ts'
import { waitForWriters } from './wait-for-writers.ts'
import { WantedTables } from './wanted-tables.ts'

const UNDEFINED_OBJECT = '42704'

/** What a {@link TableCapture} works with. */
export interface TableCaptureParts extends LivePositionParts {
  readonly name: CaptureName
  /** Where what is published is written down; `null`: nowhere. */
  readonly memory: CoverageMemory | null
  readonly attached: AttachedTables
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

/** What happens while tables are captured. */
export interface BesideCapture extends DeliveredChanges {
  /** Hears of tables that somebody else had taken out, and that are captured again, before that is written down. */
  readonly tell: (notice: DriverNotice) => void
}

/** What the publications hold now. */
interface PublishedTables {
  readonly wanted: readonly WantedTable[]
  readonly plan: PublicationPlan
  /** Whether some table is to be delivered under another name than before. */
  readonly isRenamed: boolean
}

/** A table that could not be added, and why. */
interface FailedAddition {
  readonly table: TableToPublish
  readonly error: unknown
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
   * @param beside what happens meanwhile; `null`: nothing does, and it is not written down yet what is covered.
   * @returns the position that separates what was committed before from what is delivered.
   * @throws RowtapError ERR_POSITION_LOST where somebody has dropped a publication: nothing can be captured with this link.
   */
  async capture(requests: readonly CaptureRequest[], beside: BesideCapture | null): Promise<Position> {
    const altered = new Set<number>()
    try {
      const { wanted, plan, isRenamed } = await this.#publish(requests, altered)
      await this.#remove(plan.remove)
      for (const table of plan.narrow) await this.#narrow(table)
      const { unsettled } = this.#parts.attached
      const family = new Set(wanted.flatMap(({ facts }) => facts.family))
      for (const oid of unsettled) if (!family.has(oid)) unsettled.delete(oid)
      const added = [...unsettled]
      if (added.length > 0) {
        await waitForWriters(this.#parts.control, added, new Waiting(this.#parts.host))
      }
      if (added.length > 0 || isRenamed || plan.isAltered) {
        // What others did until now is not taken for ours.
        this.#compare(await this.#published(), altered)
        await this.#touch()
      }
      const { memberships } = this.#parts.attached
      if (wanted.some(({ facts }) => !memberships.knows(facts.oid))) this.#compare(await this.#published(), altered)
      for (const oid of added) unsettled.delete(oid)
      const tables = added.length > 0 ? added : wanted.flatMap(({ facts }) => facts.family)
      const from = await livePosition(this.#parts, tables, beside)
      // What was missed before a new link is told when its changes are read: it is not to be forgotten before.
      if (beside !== null) {
        await this.#tellAltered(altered, beside, from)
        await this.#parts.memory?.settled((missed) => beside.tell(takenOutGap(missed, from)))
      }
      return from
    } catch (error) {
      // Nobody was told.
      for (const oid of altered) this.#parts.attached.memberships.doubt(oid)
      const tables = requests.map(({ table }) => formatTableName(table)).join(', ')
      const reason = databaseError(error, tables === '' ? 'end the capture' : `capture ${tables}`)
      if (sqlstateOf(reason.cause) === UNDEFINED_OBJECT) await this.#expectPublications()
      throw reason
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
        ...plan.add.flatMap((table) =>
          additionStatements(name, table, { replaced: replacedBy(table, plan), attempt: 0 }),
        ),
        ...plan.remove.map((table) => removalStatement(name, table)),
        ...plan.narrow.flatMap((table) => narrowingStatements(name, table)),
        ...(plan.add.length > 0 || isRenamed || plan.isAltered ? touchStatements(name) : []),
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

  /**
   * Adds what is missing. Looks again after each attempt: meanwhile anything may have changed.
   *
   * @param altered comes to hold the captured tables of which somebody else has altered what is published.
   */
  async #publish(requests: readonly CaptureRequest[], altered: Set<number>): Promise<PublishedTables> {
    const { control, host, attached } = this.#parts
    const waiting = new Waiting(host)
    await giveFullIdentity(this.#parts, this.#wanted, requests)
    let isRenamed = false
    for (let attempt = 0; ; attempt += 1) {
      const wanted = await this.#wanted.lookUp(requests)
      const published = await this.#published()
      this.#compare(published, altered)
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
        facts,
        // What is known of it from before stays.
        ...keptOf(attached.byOid(facts.oid)),
      }))
      const missing = requests.flatMap(({ table }) =>
        wanted.some(({ request }) => request.table === table) ? [] : (attached.byName(table) ?? []),
      )
      if (attached.name(tables).length > 0) isRenamed = true
      if (takenOut(plan).length > 0) await this.#parts.memory?.takingOut(takenOut(plan), returning(plan))
      const failed = await this.#add(plan, attempt)
      if (failed !== null) {
        const { table, error } = failed
        if (isRefusal(error) && this.#pushdown.giveUp([table])) continue
        await pauseAfterFailure(error, { control, waiting, holders: LOCK_HOLDERS, tables: table.facts.family })
        continue
      }
      for (const { oid, table } of tables) {
        if ((attached.byName(table)?.oid ?? oid) !== oid) host.notify(successor(table))
      }
      attached.replace([...tables, ...missing])
      return { wanted, plan, isRenamed }
    }
  }

  /** Adds one table after the other. Returns the first that could not be; `null` where all were. */
  async #add(plan: PublicationPlan, attempt: number): Promise<FailedAddition | null> {
    const { control, attached, name } = this.#parts
    for (const table of plan.add) {
      const added = table.facts.family.filter((oid) => !attached.unsettled.has(oid))
      for (const oid of added) attached.unsettled.add(oid)
      try {
        const replaced = replacedBy(table, plan)
        const statements = additionStatements(name, table, { replaced, attempt })
        await attached.memberships.change(table.facts.oid, () => control.attempt(textOf(statements)))
      } catch (error) {
        // Where the server says no, it was not published; where it says nothing, that is not known.
        if (sqlstateOf(error) !== null) for (const oid of added) attached.unsettled.delete(oid)
        if (sqlstateOf(error) === UNDEFINED_OBJECT) await this.#expectPublications()
        return { table, error }
      }
    }
    return null
  }

  /** Publishes less of a table. Where it is locked, more is published until the next call: core leaves it out. */
  async #narrow(table: TableToPublish): Promise<void> {
    const { control, name, attached } = this.#parts
    try {
      const statements = narrowingStatements(name, table)
      await attached.memberships.change(table.facts.oid, () => control.attempt(textOf(statements)))
    } catch (error) {
      if (sqlstateOf(error) === null) throw error
    }
  }

  async #expectPublications(): Promise<void> {
    const { control, name } = this.#parts
    if (!(await arePublicationsThere(control, name))) throw publicationsDropped(name)
  }

  #published(): Promise<readonly Published[]> {
    return readPublished(this.#parts.control, this.#parts.name)
  }

  /**
   * A table that is locked, or that the server does not let be taken out (an event trigger of somebody’s refuses it), stays
   * published until the next call: nobody waits for the end of what they do not want.
   */
  async #remove(tables: readonly Published[]): Promise<void> {
    const { control, name } = this.#parts
    for (const table of tables) {
      try {
        await control.attempt(removalStatement(name, table).sql)
      } catch (error) {
        if (sqlstateOf(error) === null) throw error
      }
    }
  }

  /**
   * Makes the stream look at the tables, and announce them, once more. Where a transaction wrote to a table both
   * before and after it was published, servers before 14.18, 15.13, 16.9 and 17.5 remember that the table is not
   * published, and keep to it for every transaction that follows. No such transaction is left now.
   */
  async #touch(): Promise<void> {
    const { control, name, attached } = this.#parts
    await attached.memberships.changeAll(() => control.transaction(textOf(touchStatements(name))))
  }

  /** Called right when it is read what is published: nothing else of the connection has run since. */
  #compare(published: readonly Published[], altered: Set<number>): void {
    const { attached } = this.#parts
    const seen = new Set<number>()
    for (const { oid, membership } of published) {
      // Of one that somebody put into both publications the first counts.
      if (seen.has(oid)) continue
      seen.add(oid)
      if (attached.memberships.isAnother(oid, membership) && attached.byOid(oid) !== undefined) altered.add(oid)
    }
  }

  /** What kept tables missed while somebody else had altered what is published of them. */
  async #tellAltered(altered: ReadonlySet<number>, beside: BesideCapture, to: Position): Promise<void> {
    const { attached, memory } = this.#parts
    for (const oid of altered) {
      const table = attached.byOid(oid)?.table
      if (table === undefined) continue
      await memory?.missing(oid)
      memory?.told(oid)
      beside.tell({ kind: 'gap', from: null, to, tables: [table], reason: alteredReason(table, true) })
    }
  }
}

function keptOf(attached: AttachedTable | undefined): Partial<Pick<AttachedTable, 'facts' | 'partitions'>> {
  if (attached === undefined) return {}
  const { facts, partitions } = attached
  return partitions === undefined ? { facts } : { facts, partitions }
}

/** As what a table is published that is to be added otherwise; `null`: it is not published. */
function replacedBy({ facts }: TableToPublish, { replace }: PublicationPlan): Published | null {
  return replace.find(({ oid }) => oid === facts.oid) ?? null
}

/** The object ids of the tables that leave a publication, if only for a moment. */
function takenOut(plan: PublicationPlan): readonly number[] {
  return [...plan.remove.map(({ oid }) => oid), ...returning(plan)]
}

/** Those of them that the same transaction adds again. */
function returning({ replace, narrow }: PublicationPlan): readonly number[] {
  return [...replace.map(({ oid }) => oid), ...narrow.map(({ facts }) => facts.oid)]
}

function successor(table: TableName): DriverNotice {
  const reason = `Another table is called ${formatTableName(table)} than before, and is captured from now on: what was written to it until now was missed.`
  return { kind: 'gap', from: null, to: null, tables: [table], reason }
}
