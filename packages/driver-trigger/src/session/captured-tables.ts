import type { CaptureRequest, DriverHost, PlannedStatement, TableName, TablePushdown } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { comparedEnums } from '../catalog/compared-enums.ts'
import { findTable, lackOfPrivilege } from '../catalog/find-table.ts'
import type { CaptureTask } from '../install/capture-table.ts'
import { captureOnce, captureTable, isLockFailure } from '../install/capture-table.ts'
import { explainPushdown } from '../install/explain-pushdown.ts'
import type { CapturedPart, RowOperation } from '../install/captured-part.ts'
import { isSame, ROW_OPERATIONS, tellsOf, WHOLE, WITHOUT_ROWS } from '../install/captured-part.ts'
import { RefusedDefinition } from '../install/refused-definition.ts'
import { ADD_WANTED, NAME_WANTED, REMOVE_WANTED } from '../sql/consumer-statements.ts'
import type { ConsumerState } from './consumer-state.ts'
import type { Link } from './link.ts'
import type { SessionOptions } from './open-link.ts'
import { planCapture } from './plan-capture.ts'
import { pushesDown, wantedPart } from './pushes-down.ts'

/** What {@link CapturedTables} work with. */
export interface CapturedTablesParts {
  readonly link: Link
  readonly state: ConsumerState
  readonly options: SessionOptions
  readonly host: DriverHost
  readonly signal: AbortSignal
  /** Removes what nobody needs any more. */
  readonly tidy: () => Promise<void>
  /** Looks whether what is captured still is. */
  readonly watch: () => Promise<void>
}

interface FoundTables {
  /** Their names, by object id. */
  readonly found: ReadonlyMap<string, TableName>
  /** Which part of them is wanted: all, where it does not say. */
  readonly parts: Map<string, CapturedPart>
  /** The operations that are to be told of, where no rows are wanted. */
  readonly told: ReadonlyMap<string, readonly RowOperation[]>
}

/** The tables that a consumer has captured. */
export class CapturedTables {
  readonly #parts: CapturedTablesParts

  constructor(parts: CapturedTablesParts) {
    this.#parts = parts
  }

  /**
   * Captures exactly these tables.
   *
   * @param divide divides the changes: before it the tables of before are read, after it these.
   */
  async capture<T>(requests: readonly CaptureRequest[], divide: (roots: readonly string[]) => Promise<T>): Promise<T> {
    const { link, state, watch } = this.#parts
    const wish = await this.#find(requests)
    const { found, parts } = wish
    const added = [...found].filter(([oid]) => this.#isNew(oid) || this.#isOther(oid, wish))
    const lessened = [...found].filter(([oid]) => !this.#isNew(oid) && this.#hasRowsNoMore(oid, wish))
    try {
      await this.#add(added, parts)
      for (const [oid, table] of lessened) parts.set(oid, await this.#endRows(this.#taskOf(oid, table, parts)))
    } catch (error) {
      if (!link.isLost) await this.#discard(added.map(([oid]) => oid).filter((oid) => !state.wanted.has(oid)))
      throw error
    }
    const removed = [...state.wanted.keys()].filter((oid) => !found.has(oid))
    state.wanted = found
    state.parts = parts
    for (const oid of removed) state.inForce.delete(oid)
    state.requests = requests
    for (const [oid, table] of found) state.names.set(oid, table)
    await this.#nameWanted(found)
    link.columnTypes.compare(comparedEnums(found, requests))
    // What is altered from now on is noticed.
    if (added.length > 0 || lessened.length > 0) await watch()
    const divided = await divide([...found.keys()])
    await this.#discard(removed)
    return divided
  }

  /** Captures again what is captured, as far as the database has forgotten it. */
  async recapture(oids: readonly string[]): Promise<void> {
    const { wanted, parts, inForce } = this.#parts.state
    for (const oid of oids) inForce.delete(oid)
    await this.#add(
      [...wanted].filter(([oid]) => oids.includes(oid)),
      parts,
    )
  }

  /** The statements that capturing exactly these tables would run. */
  async plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]> {
    const { link, options, host, signal, state } = this.#parts
    const wish = await this.#find(requests)
    const { found, parts } = wish
    const isAdded = (oid: string): boolean =>
      this.#isNew(oid) || this.#isOther(oid, wish) || this.#hasRowsNoMore(oid, wish)
    const context = { options, host, signal, control: link.control, server: link.server }
    return await planCapture(context, {
      consumer: state.registration.id,
      added: new Map([...found].filter(([oid]) => isAdded(oid))),
      kept: new Map([...found].filter(([oid]) => !isAdded(oid))),
      removed: [...state.wanted.keys()].filter((oid) => !found.has(oid)),
      parts,
      inForce: state.inForce,
    })
  }

  /** What the database would leave out of tables of this set. */
  async pushdown(requests: readonly CaptureRequest[]): Promise<readonly TablePushdown[]> {
    const { link, options, state } = this.#parts
    const { found, parts } = await this.#find(requests)
    const tables = [...found].flatMap(([oid, table]) => {
      const request = requests.find((one) => one.table === table)
      return request === undefined ? [] : [{ oid, request, part: parts.get(oid) ?? WHOLE }]
    })
    return await explainPushdown(link.control, options, state.registration.id, tables)
  }

  #isNew(oid: string): boolean {
    const { wanted, unchecked } = this.#parts.state
    return !wanted.has(oid) || unchecked.has(oid)
  }

  /** Whether another part is wanted of a table than is captured. */
  #isOther(oid: string, wish: FoundTables): boolean {
    const before = this.#parts.state.inForce.get(oid)
    if (before === undefined) return true
    return !isSame(wish.parts.get(oid) ?? WHOLE, before) && !this.#hasRowsNoMore(oid, wish)
  }

  /** Whether rows of a table were wanted before, and none are now: what captures them tells of what is to be told, too. */
  #hasRowsNoMore(oid: string, { parts, told }: FoundTables): boolean {
    const before = this.#parts.state.inForce.get(oid)
    const now = parts.get(oid) ?? WHOLE
    return before !== undefined && !now.rows && !isSame(now, before) && tellsOf(told.get(oid) ?? ROW_OPERATIONS, before)
  }

  async #add(
    added: readonly (readonly [oid: string, table: TableName])[],
    parts: ReadonlyMap<string, CapturedPart>,
  ): Promise<void> {
    const { link, state } = this.#parts
    for (const [oid, table] of added) {
      const task = this.#taskOf(oid, table, parts)
      // Where it fails, nobody knows what came of it.
      state.inForce.delete(oid)
      await captureTable(link.control, task)
      state.inForce.set(oid, task.part)
      state.unchecked.delete(oid)
    }
  }

  /**
   * What captures rows is enough where nobody wants them, until others let it be replaced: the watch sees to that later.
   *
   * @returns the part that is told of from now on.
   */
  async #endRows(task: CaptureTask): Promise<CapturedPart> {
    const { link, state } = this.#parts
    let { part } = task
    try {
      await captureOnce(link.control, task)
    } catch (error) {
      if (!isLockFailure(error) && !(error instanceof RefusedDefinition)) throw error
      // Until then not every operation may be told of.
      part = { ...part, operations: state.inForce.get(task.oid)?.operations ?? part.operations }
      await link.control.run(ADD_WANTED, [task.consumer, task.oid, JSON.stringify(part)])
    }
    state.inForce.set(task.oid, part)
    return part
  }

  #taskOf(oid: string, table: TableName, parts: ReadonlyMap<string, CapturedPart>): CaptureTask {
    const { state, options, host, signal } = this.#parts
    return {
      schema: options.schema,
      consumer: state.registration.id,
      oid,
      enableAlways: options.enableAlways,
      part: parts.get(oid) ?? WHOLE,
      pushesDown: pushesDown(this.#parts),
      inForce: state.inForce.get(oid) ?? null,
      table,
      signal,
      notify: (notice) => host.notify(notice),
    }
  }

  /** What goes on later, when others may have these names, knows by which ones it was asked for. */
  async #nameWanted(found: ReadonlyMap<string, TableName>): Promise<void> {
    const { link, host, state } = this.#parts
    if (host.subscription === null || found.size === 0) return
    const tables = [...found.values()]
    const [schemas, names] = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]
    await link.control.run(NAME_WANTED, [state.registration.id, [...found.keys()], schemas, names])
  }

  async #discard(oids: readonly string[]): Promise<void> {
    if (oids.length === 0) return
    const { link, state, tidy } = this.#parts
    await link.control.run(REMOVE_WANTED, [state.registration.id, oids])
    await tidy()
  }

  /** The tables by object id. One that is captured already stays, even if its name has gone: it was dropped or renamed. */
  async #find(requests: readonly CaptureRequest[]): Promise<FoundTables> {
    const { link, options } = this.#parts
    const { wanted, kept, contents } = this.#parts.state
    const found = new Map<string, TableName>()
    const parts = new Map<string, CapturedPart>()
    const told = new Map<string, readonly RowOperation[]>()
    for (const request of requests) {
      const { table } = request
      const captured = [...wanted].find(([, { schema, name }]) => schema === table.schema && name === table.name)
      try {
        const there = await findTable(link.control, options.schema, table)
        const lack = wanted.has(there.oid) ? null : lackOfPrivilege(table, there)
        if (lack !== null) throw lack
        found.set(there.oid, table)
        contents.set(there.oid, there.content)
        told.set(there.oid, operationsOf(request))
        parts.set(there.oid, wantedPart(this.#parts, request, there.content, kept.get(there.oid)?.conditions))
      } catch (error) {
        if (captured === undefined || !RowtapError.is(error, 'ERR_SETUP_REQUIRED')) throw error
        found.set(captured[0], table)
        told.set(captured[0], operationsOf(request))
        if (request.rows === false) parts.set(captured[0], WITHOUT_ROWS)
      }
    }
    return { found, parts, told }
  }
}

function operationsOf({ operations }: CaptureRequest): readonly RowOperation[] {
  return ROW_OPERATIONS.filter((operation) => operations.has(operation))
}
