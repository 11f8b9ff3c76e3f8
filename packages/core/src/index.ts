export { connect, listen, plan } from './connect.ts'
export { conditionOf } from './conditions/condition-of.ts'
export type { ConditionSource } from './conditions/condition-source.ts'
export type { Condition } from './conditions/condition.ts'
export type { Where, WhereColumn, WhereGroups, WhereOperators, WherePatterns, WhereValue } from './conditions/where.ts'
export { supports } from './capabilities/supports.ts'
export { CAPABILITY_QUESTIONS, capabilityNames, cellOf, OPERATIONS } from './capabilities/capabilities.ts'
export type { Capabilities, CapabilityName, Cell, Operation } from './capabilities/capabilities.ts'
export type { OperationOption, OptionIf, Refused, SupportedOperation } from './capabilities/refused.ts'
export type {
  Client,
  ClientHandlers,
  ClientSignals,
  CloseOptions,
  CloseReport,
  EventHandler,
  Listener,
  MessageHandler,
  StopOptions,
  StopReport,
} from './client.ts'
export type { Driver, DriverNotice, PlannedStatement } from './contract/driver.ts'
export type { LogicalMessage } from './contract/logical-message.ts'
export type { Position } from './contract/position.ts'
export { formatTableName, parseTableName, quoteIdentifier, quoteTableName } from './contract/table-name.ts'
export type { TableName } from './contract/table-name.ts'
export type {
  Acknowledgeable,
  AckMode,
  ChangeEvent,
  ColumnName,
  DeleteEvent,
  DeliveredEvent,
  EventKind,
  EventTransaction,
  InsertEvent,
  ListenerEvent,
  ListenerMode,
  ListenerSignal,
  Row,
  SignalEvent,
  SnapshotEvent,
  SnapshotMode,
  TruncateEvent,
  UpdateEvent,
} from './event.ts'
export type {
  AnyListenOptions,
  ConnectOptions,
  FailureHandler,
  ListenOptions,
  ManualListenOptions,
  SnapshotListenOptions,
} from './listen-options.ts'
export type { ManualSignalListenOptions, SignalFailureHandler, SignalListenOptions } from './signal-listen-options.ts'
export type { SignalListener } from './signal-listener.ts'
export { formatPlan } from './plan/format-plan.ts'
export type { Plan, PlannedListener, PlannedPart } from './plan/plan.ts'
export { subscribeTo } from './metrics/channels.ts'
export type {
  AcknowledgeMessage,
  ChannelMessages,
  DeliverMessage,
  FailureMessage,
  ReceiveMessage,
  RetryMessage,
} from './metrics/channels.ts'
export type {
  ClientMetrics,
  DeliveryCounts,
  ListenerMetrics,
  SnapshotMetrics,
  TableMetrics,
} from './metrics/client-metrics.ts'
export type { HistogramSnapshot } from './metrics/histogram.ts'
export type { SourceHealth } from './metrics/source-health.ts'
export { ERROR_CODES, RowtapError } from './rowtap-error.ts'
export type { ErrorCode, RowtapErrorOptions } from './rowtap-error.ts'
