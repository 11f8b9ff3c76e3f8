/** What a driver's author needs: `@rowtap/core/driver`. */
export { position } from './contract/position.ts'
export type { Position } from './contract/position.ts'
export type { Relation, RelationColumn, Tuple } from './contract/relation.ts'
export { formatTableName, parseTableName, quoteIdentifier, quoteTableName } from './contract/table-name.ts'
export type { TableName } from './contract/table-name.ts'
export { nearestTable } from './options/nearest-name.ts'
export type {
  CaptureRequest,
  Change,
  ChangeBatch,
  Driver,
  DriverHost,
  DriverNotice,
  DriverSession,
  Transaction,
} from './contract/driver.ts'
export type { Capabilities, Cell, Operation } from './capabilities/capabilities.ts'
export { RowtapError } from './rowtap-error.ts'
export type { ErrorCode } from './rowtap-error.ts'
