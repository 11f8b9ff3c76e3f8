import type { OneRowPart } from '../migration-0001/capture-one-row.ts'
import { SCHEMA, sql } from '../sql.ts'
import type { NarrowedCapture } from './narrowed-capture.ts'
import { narrowedRows } from './narrowed-rows.ts'

/** How the only row of a statement is read, where a part of the rows is captured. */
export function narrowedOneRow({ expression, columns, shape, printed }: NarrowedCapture): OneRowPart {
  // In READ COMMITTED transactions, which these are, the shape is known when the query is planned.
  const isNarrowed = sql`${SCHEMA}.planned_shape() = ${() => shape}`
  const rows = narrowedRows({ expression, columns }, isNarrowed)
  const isNull = sql`coalesce(old_text, new_text) is null`
  const leavesOut = expression !== null || columns !== null
  return {
    insert: { texts: sql`null, ${rows.wantedText('n')}`, rows: sql`new_rows n` },
    update:
      expression === null
        ? { texts: sql`${rows.text('o')}, ${rows.text('n')}`, rows: sql`old_rows o cross join new_rows n` }
        : {
            texts: sql`case when o.wanted or n.wanted then textin(record_out(o.image)) end,
        case when o.wanted or n.wanted then textin(record_out(n.image)) end`,
            rows: sql`(select ${rows.image('o')}, ${rows.isWanted} from old_rows o limit 1) o (image, wanted)
      cross join (select ${rows.image('n')}, ${rows.isWanted} from new_rows n limit 1) n (image, wanted)`,
          },
    delete: { texts: sql`${rows.wantedText('o')}, null`, rows: sql`old_rows o` },
    chosen: sql`case when ${isNarrowed} then ${() => printed} else ${SCHEMA}.planned_shape() end`,
    relation: sql`captured.relation`,
    ...(leavesOut && {
      isUnwanted: { update: columns === null ? isNull : sql`${isNull} or old_text = new_text`, others: isNull },
    }),
  }
}
