/** What a driver's author needs: `@rowtap/core/driver`. */
export { position } from './contract/position.ts'
export type { Position } from './contract/position.ts'
export type { Relation, RelationColumn, Tuple } from './contract/relation.ts'
export type { LogicalMessage, PlacedMessage } from './contract/logical-message.ts'
export type {
  KeyComparison,
  KeyTexts,
  SnapshotChunk,
  SnapshotKey,
  SnapshotRequest,
  SnapshotSource,
} from './contract/snapshot-source.ts'
export { formatTableName, parseTableName, quoteIdentifier, quoteTableName } from './contract/table-name.ts'
export type { TableName } from './contract/table-name.ts'
export { inlineParameters } from './contract/inline-parameters.ts'
export { checkOptionNames } from './options/check-option-names.ts'
export { booleanOption, numberOption, wordOption } from './options/option-values.ts'
export type { NumberRange } from './options/option-values.ts'
export { nearestTable } from './options/nearest-name.ts'
export type {
  CaptureRequest,
  Change,
  ChangeBatch,
  Driver,
  DriverHost,
  DriverNotice,
  DriverSession,
  DurableSubscription,
  PlannedStatement,
  RequestedCondition,
  ResumedRequest,
  TablePushdown,
  Transaction,
} from './contract/driver.ts'
export { CONDITIONS_IN_PROCESS, NO_CONDITIONS } from './capabilities/every-condition.ts'
export type { EveryCondition } from './capabilities/every-condition.ts'
export type { Capabilities, Cell, Operation } from './capabilities/capabilities.ts'
export type {
  ArrayType,
  BaseType,
  Collation,
  ColumnType,
  CompositeType,
  ConditionColumn,
  EnumType,
  MultirangeType,
  RangeType,
} from './conditions/column-type.ts'
export { ColumnTypeBook } from './conditions/column-type-book.ts'
export type { ShapedColumn } from './conditions/column-type-book.ts'
export type { Condition } from './conditions/condition.ts'
export { COLUMN_TYPES_SQL } from './conditions/column-types.sql.ts'
export { columnTypes } from './conditions/column-types.ts'
export { unknownType } from './conditions/unknown-type.ts'
export type { ColumnTypeRow } from './conditions/column-types.ts'
export { CANONICAL_SETTINGS, normaliseConstants } from './conditions/normalise-constants.sql.ts'
export { comparedColumns, hasPattern, SAFE_TYPES } from './conditions/safe-condition.ts'
export type { QueryRow, Statement } from './conditions/normalise-constants.sql.ts'
export type { ConstantToNormalise, NormaliseConstants, NormalisedConstant } from './conditions/normalise-constants.ts'
export type { SourceHealth } from './metrics/source-health.ts'
export { RowtapError } from './rowtap-error.ts'
export type { ErrorCode } from './rowtap-error.ts'
export { checkConnection } from './driver-errors/check-connection.ts'
export { connectError, connectionUnreadable } from './driver-errors/connect-error.ts'
export type { ConnectionTarget } from './driver-errors/connect-error.ts'
export { errorText, sqlstateOf } from './driver-errors/server-error.ts'
export { SQLSTATE_MEANINGS } from './driver-errors/sqlstate-meaning.ts'
export type { SqlstateMeaning, SqlstateMeanings } from './driver-errors/sqlstate-meaning.ts'
export { connectionLost, statementError } from './driver-errors/statement-error.ts'
export { tableMissing } from './driver-errors/table-missing.ts'
export { Interruption } from './driver-session/interruption.ts'
export { LinkSequence } from './driver-session/link-sequence.ts'
export type { LinkSequenceParts, SequencedLink } from './driver-session/link-sequence.ts'
export { isPassing, isWorthTrying, reconnectPolicy } from './driver-session/reconnect-policy.ts'
export type { ReconnectOptions, ReconnectPolicy } from './driver-session/reconnect-policy.ts'
export { unlessAborted, Waiting } from './driver-session/waiting.ts'
export type { WaitingHost } from './driver-session/waiting.ts'
export type { KeyColumn } from './driver-snapshot/key-columns.ts'
export { countBoundaries, declarePiece, lockTable } from './driver-snapshot/read-piece.ts'
export type { PieceStatement } from './driver-snapshot/read-piece.ts'
export { notGranted, notReadable, rowsHidden } from './driver-snapshot/refusals.ts'
