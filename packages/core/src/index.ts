export { connect, listen } from './connect.ts'
export { supports } from './capabilities/supports.ts'
export { CAPABILITY_QUESTIONS, capabilityNames, cellOf, OPERATIONS } from './capabilities/capabilities.ts'
export type { Capabilities, CapabilityName, Cell, Operation } from './capabilities/capabilities.ts'
export type { OperationOption, OptionIf, Refused, SupportedOperation } from './capabilities/refused.ts'
export type { Client, ClientSignals, CloseOptions, CloseReport, EventHandler, Listener } from './client.ts'
export type { Driver, DriverNotice } from './contract/driver.ts'
export type { Position } from './contract/position.ts'
export { formatTableName, parseTableName, quoteIdentifier, quoteTableName } from './contract/table-name.ts'
export type { TableName } from './contract/table-name.ts'
export type {
  ChangeEvent,
  ColumnName,
  DeleteEvent,
  EventKind,
  EventTransaction,
  InsertEvent,
  Row,
  TruncateEvent,
  UpdateEvent,
} from './event.ts'
export type { ConnectOptions, ListenOptions } from './listen-options.ts'
export { ERROR_CODES, RowtapError } from './rowtap-error.ts'
export type { ErrorCode, RowtapErrorOptions } from './rowtap-error.ts'
