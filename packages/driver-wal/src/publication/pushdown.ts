import type { CaptureRequest } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import { columnList } from './column-list.ts'
import type { TableToPublish } from './publication-plan.ts'
import { kindOf } from './publication-plan.ts'
import type { PublishedPart } from './published-part.ts'
import { WHOLE } from './published-part.ts'
import { rowFilter } from './row-filter.ts'

/**
 * Says which part of a table is to be published.
 *
 * Only inserts come in part: a publication of updates or deletes with a filter or a list makes PostgreSQL refuse the
 * application's own, as soon as somebody gives the table another replica identity.
 */
export class Pushdown {
  readonly #isOn: boolean
  /** Tables of which the server did not take a part. */
  readonly #refused = new Set<number>()

  constructor(isOn: boolean) {
    this.#isOn = isOn
  }

  /** The part that is wanted of a table. */
  partOf(request: CaptureRequest, facts: TableFacts): PublishedPart {
    if (!this.#isOn || kindOf(request) !== 'inserts' || this.#refused.has(facts.oid)) return WHOLE
    return { rows: rowFilter(request, facts), columns: columnList(request, facts) }
  }

  /** From now on all of these tables is published. Returns whether of one of them a part was to be. */
  giveUp(tables: readonly TableToPublish[]): boolean {
    const parts = tables.filter(({ part }) => part.rows !== null || part.columns !== null)
    for (const { facts } of parts) this.#refused.add(facts.oid)
    return parts.length > 0
  }
}
