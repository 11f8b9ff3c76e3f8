import type { CaptureRequest, DriverHost, PlannedStatement, TableName } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { comparedEnums } from '../catalog/compared-enums.ts'
import { findTable, lackOfPrivilege } from '../catalog/find-table.ts'
import type { CaptureTask } from '../install/capture-table.ts'
import { captureOnce, captureTable, isLockFailure } from '../install/capture-table.ts'
import type { Conditions } from '../install/row-filter.ts'
import { ADD_WANTED, REMOVE_WANTED } from '../sql/consumer-statements.ts'
import type { ConsumerState } from './consumer-state.ts'
import type { Link } from './link.ts'
import type { SessionOptions } from './open-link.ts'
import { planCapture } from './plan-capture.ts'
import { pushesDown, wantedRows } from './pushes-down.ts'

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
  /** Those of them whose rows are not wanted. */
  readonly withoutRows: ReadonlySet<string>
  /** Which of their rows are wanted: all, where it does not say. */
  readonly conditions: ReadonlyMap<string, Conditions>
}

type WantedRows = Pick<FoundTables, 'conditions' | 'withoutRows'>

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
    const wanted = await this.#find(requests)
    const { found } = wanted
    const added = [...found].filter(([oid]) => this.#isNew(oid) || this.#isOther(oid, wanted))
    const lessened = [...found].filter(([oid]) => !this.#isNew(oid) && this.#hasRowsNoMore(oid, wanted))
    try {
      await this.#add(added, wanted)
      for (const [oid, table] of lessened) await this.#endRows(this.#taskOf(oid, table, wanted))
    } catch (error) {
      if (!link.isLost) await this.#discard(added.map(([oid]) => oid).filter((oid) => !state.wanted.has(oid)))
      throw error
    }
    const removed = [...state.wanted.keys()].filter((oid) => !found.has(oid))
    state.wanted = found
    state.withoutRows = wanted.withoutRows
    state.conditions = wanted.conditions
    state.requests = requests
    for (const [oid, table] of found) state.names.set(oid, table)
    link.columnTypes.compare(comparedEnums(found, requests))
    // What is altered from now on is noticed.
    if (added.length > 0 || lessened.length > 0) await watch()
    const divided = await divide([...found.keys()])
    await this.#discard(removed)
    return divided
  }

  /** Captures again what is captured, as far as the database has forgotten it. */
  async recapture(oids: readonly string[]): Promise<void> {
    const { state } = this.#parts
    await this.#add(
      [...state.wanted].filter(([oid]) => oids.includes(oid)),
      state,
    )
  }

  /** The statements that capturing exactly these tables would run. */
  async plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]> {
    const { link, options, host, signal, state } = this.#parts
    const wanted = await this.#find(requests)
    const { found } = wanted
    const isAdded = (oid: string): boolean =>
      this.#isNew(oid) || this.#isOther(oid, wanted) || this.#hasRowsNoMore(oid, wanted)
    const context = { options, host, signal, control: link.control, server: link.server }
    return await planCapture(context, {
      consumer: state.registration.id,
      added: new Map([...found].filter(([oid]) => isAdded(oid))),
      kept: new Map([...found].filter(([oid]) => !isAdded(oid))),
      removed: [...state.wanted.keys()].filter((oid) => !found.has(oid)),
      conditions: wanted.conditions,
      withoutRows: wanted.withoutRows,
    })
  }

  #isNew(oid: string): boolean {
    const { wanted, unchecked } = this.#parts.state
    return !wanted.has(oid) || unchecked.has(oid)
  }

  /** Whether other rows are wanted of a table than before. */
  #isOther(oid: string, { conditions, withoutRows }: WantedRows): boolean {
    const { state } = this.#parts
    if (withoutRows.has(oid)) return false
    const before = state.conditions.get(oid) ?? null
    return state.withoutRows.has(oid) || JSON.stringify(conditions.get(oid) ?? null) !== JSON.stringify(before)
  }

  /** Whether rows of a table were wanted before, and are not now. */
  #hasRowsNoMore(oid: string, { withoutRows }: WantedRows): boolean {
    return withoutRows.has(oid) && !this.#parts.state.withoutRows.has(oid)
  }

  async #add(added: readonly (readonly [oid: string, table: TableName])[], wanted: WantedRows): Promise<void> {
    const { link, state } = this.#parts
    for (const [oid, table] of added) {
      await captureTable(link.control, this.#taskOf(oid, table, wanted))
      state.unchecked.delete(oid)
    }
  }

  /** What captures rows is enough where nobody wants them, until others let it be replaced: the watch sees to that later. */
  async #endRows(task: CaptureTask): Promise<void> {
    const { control } = this.#parts.link
    try {
      await captureOnce(control, task)
    } catch (error) {
      if (!isLockFailure(error)) throw error
      await control.run(ADD_WANTED, [task.consumer, task.oid, null, 'false'])
    }
  }

  #taskOf(oid: string, table: TableName, { conditions, withoutRows }: WantedRows): CaptureTask {
    const { state, options, host, signal } = this.#parts
    return {
      schema: options.schema,
      consumer: state.registration.id,
      oid,
      enableAlways: options.enableAlways,
      hasRows: !withoutRows.has(oid),
      conditions: conditions.get(oid) ?? null,
      pushesDown: pushesDown(this.#parts),
      table,
      signal,
      notify: (notice) => host.notify(notice),
    }
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
    const { wanted } = this.#parts.state
    const found = new Map<string, TableName>()
    const conditions = new Map<string, Conditions>()
    const withoutRows = new Set<string>()
    const set = (oid: string, { table, rows }: CaptureRequest): void => {
      found.set(oid, table)
      if (rows === false) withoutRows.add(oid)
    }
    for (const request of requests) {
      const { table } = request
      const captured = [...wanted].find(([, { schema, name }]) => schema === table.schema && name === table.name)
      try {
        const there = await findTable(link.control, options.schema, table)
        const lack = wanted.has(there.oid) ? null : lackOfPrivilege(table, there)
        if (lack !== null) throw lack
        set(there.oid, request)
        conditions.set(there.oid, wantedRows(this.#parts, request, there.content))
      } catch (error) {
        if (captured === undefined || !RowtapError.is(error, 'ERR_SETUP_REQUIRED')) throw error
        set(captured[0], request)
      }
    }
    return { found, conditions, withoutRows }
  }
}
