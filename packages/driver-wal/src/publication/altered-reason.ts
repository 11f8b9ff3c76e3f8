import type { TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'

/**
 * What is told of a captured table where somebody else has altered the publication, or its place in it.
 *
 * @param isAsMade whether it is as the client had made it again.
 */
export function alteredReason(table: TableName, isAsMade: boolean): string {
  const name = formatTableName(table)
  return isAsMade
    ? `Somebody took ${name} out of the publication, or altered the publication, for a while: changes until now may have been missed.`
    : `Somebody altered the publication. Not all changes of ${name} are captured any more. Stop its listeners, and listen to it again.`
}
