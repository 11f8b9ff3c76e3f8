import type { CaptureRequest, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import { checkCapturable, checkOwned } from '../catalog/check-capturable.ts'
import { lackingFullIdentity, withFullIdentity } from '../catalog/full-identity.ts'
import type { StorageFacts, TableFacts } from '../catalog/table-facts.ts'
import { readTable, readTableByOid } from '../catalog/table-facts.ts'
import { tableMissing } from '../catalog/table-missing.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { AttachedTable, AttachedTables } from './attached-tables.ts'
import { checkIdentity, harmOf } from './check-identity.ts'
import type { WantedTable } from './publication-plan.ts'
import { kindOf } from './publication-plan.ts'
import type { Pushdown } from './pushdown.ts'

/** What {@link WantedTables} works with. */
export interface WantedTablesParts {
  readonly control: ControlConnection
  readonly attached: AttachedTables
  readonly fullIdentity: boolean
}

/** Looks up the tables that are asked for, and refuses those that cannot be captured. */
export class WantedTables {
  readonly #parts: WantedTablesParts
  readonly #pushdown: Pushdown

  constructor(parts: WantedTablesParts, pushdown: Pushdown) {
    this.#parts = parts
    this.#pushdown = pushdown
  }

  /**
   * The tables as the catalogue has them, and as they will be once they are captured.
   *
   * @throws RowtapError where one cannot be captured.
   */
  async lookUp(requests: readonly CaptureRequest[]): Promise<readonly WantedTable[]> {
    const { control, attached } = this.#parts
    const wanted: WantedTable[] = []
    for (const request of requests) {
      const kept = attached.byName(request.table)
      const found = await this.#find(request.table, kept)
      // A table that was dropped while it was captured: the watch tells of it, and others are not made to pay for it.
      if (found === null) continue
      const kind = kindOf(request)
      const facts = this.#parts.fullIdentity && kind === 'all' ? withFullIdentity(found) : found
      if (kept?.oid === facts.oid && (kept.kind === kind || kept.kind === 'all')) {
        wanted.push({
          request,
          facts,
          kind: harmOf(facts) === null ? kind : 'inserts',
          part: this.#pushdown.partOf(request, facts),
        })
        continue
      }
      checkCapturable(facts)
      checkOwned(facts, control.user)
      if (kind === 'all') checkIdentity(facts)
      wanted.push({ request, facts, kind, part: this.#pushdown.partOf(request, facts) })
    }
    for (const { request, facts } of wanted) {
      const other = wanted.find((one) => one.facts.oid === facts.oid && one.request !== request)
      if (other !== undefined) throw sameTable(request, other.request)
    }
    return wanted
  }

  /** The tables and partitions that are to be given full identity, and do not have it. */
  async lackingIdentity(requests: readonly CaptureRequest[]): Promise<readonly StorageFacts[]> {
    if (!this.#parts.fullIdentity) return []
    const lacking: StorageFacts[] = []
    for (const request of requests) {
      if (kindOf(request) === 'inserts') continue
      const facts = await this.#find(request.table, this.#parts.attached.byName(request.table))
      if (facts !== null) lacking.push(...lackingFullIdentity(facts))
    }
    return lacking
  }

  /** By its name; one that was renamed while it was captured, as the table that it is. */
  async #find({ schema, name }: TableName, kept: AttachedTable | undefined): Promise<TableFacts | null> {
    const { control } = this.#parts
    const facts = await readTable(control, { schema, name })
    if (facts !== null) return facts
    if (kept === undefined) throw await tableMissing(control, { schema, name })
    return readTableByOid(control, kept.oid)
  }
}

function sameTable(one: CaptureRequest, other: CaptureRequest): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `${formatTableName(one.table)} and ${formatTableName(other.table)} are the same table, which was renamed while it was captured: stop its listeners first (with a subscription: stop({ discard: true })), or listen with another client.`,
  })
}
