import type { CaptureRequest, TableName } from '@rowtap/core/driver'

/**
 * The columns of enumerations that conditions compare, by the tables' object ids.
 *
 * @param found the requests' tables by object id
 */
export function comparedEnums(
  found: ReadonlyMap<string, TableName>,
  requests: readonly CaptureRequest[],
): ReadonlyMap<number, ReadonlySet<string>> {
  const compared = new Map<number, ReadonlySet<string>>()
  for (const [oid, table] of found) {
    const request = requests.find((one) => one.table === table)
    if (request !== undefined && request.comparedEnums.size > 0) compared.set(Number(oid), request.comparedEnums)
  }
  return compared
}
