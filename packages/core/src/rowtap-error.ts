import type { TableName } from './contract/table-name.ts'

/** The closed union of error codes. {@link ERROR_CODES} says what each means, and what to do. */
export type ErrorCode =
  | 'ERR_CAPABILITY_UNSUPPORTED'
  | 'ERR_INVALID_OPTIONS'
  | 'ERR_SETUP_REQUIRED'
  | 'ERR_AUTHENTICATION_FAILED'
  | 'ERR_CONNECTION_FAILED'
  | 'ERR_CONNECTION_LOST'
  | 'ERR_SUBSCRIPTION_IN_USE'
  | 'ERR_POSITION_LOST'
  | 'ERR_DECODE'
  | 'ERR_STORAGE'
  | 'ERR_HANDLER'
  | 'ERR_CLOSED'
  | 'ERR_ABORTED'
  | 'ERR_DRIVER_CONTRACT'
  | 'ERR_DATABASE'

/**
 * Every code that a {@link RowtapError} can have, with what happened and what to do.
 * This table is the error reference: documents are generated from it.
 */
export const ERROR_CODES: Readonly<Record<ErrorCode, string>> = {
  ERR_CAPABILITY_UNSUPPORTED:
    'The driver does not do what an option asks for. Leave the option out, or choose a driver whose manifest has the capability (`rowtap capabilities`).',
  ERR_INVALID_OPTIONS: 'An option has a wrong name or value. The message names it; correct the call.',
  ERR_SETUP_REQUIRED:
    'The database lacks something that capturing needs: a table, a setting, a privilege, a replica identity. Run the statement that the message holds.',
  ERR_AUTHENTICATION_FAILED: 'The server refused the user or the password. Correct the connection string.',
  ERR_CONNECTION_FAILED:
    'No connection could be made. Check host, port and database, and that the server runs. May succeed when tried again.',
  ERR_CONNECTION_LOST:
    'An established connection ended, and was not made again. What was not acknowledged comes again to a durable subscription; an ephemeral client has to start again.',
  ERR_SUBSCRIPTION_IN_USE: 'Another process holds the subscription. Stop it, or wait for it.',
  ERR_POSITION_LOST:
    'The database no longer has the changes after the acknowledged position. Start the subscription again, from a new snapshot where the past matters.',
  ERR_DECODE:
    'The database sent something that could not be understood. Please report it with the position in the message.',
  ERR_STORAGE:
    'A temporary file, for what does not fit into memory, could not be written or read: the disk is full, or the directory cannot be written to. Make room, or name another directory. What was not acknowledged comes again to a durable subscription.',
  ERR_HANDLER:
    'A handler threw. The cause is what it threw, or an AggregateError where the dead-letter function failed, too; what becomes of the change is what `onFailure` says.',
  ERR_CLOSED: 'The client or listener was used after it was closed.',
  ERR_ABORTED: 'The caller’s AbortSignal was aborted before the client was connected, or before the listener was live.',
  ERR_DRIVER_CONTRACT: 'A driver broke the contract. Please report it to the driver’s author.',
  ERR_DATABASE: 'PostgreSQL refused a statement for a reason that no other code covers. The cause holds its SQLSTATE.',
}

/** What a {@link RowtapError} is made of. */
export interface RowtapErrorOptions {
  /** One sentence or two: what happened, and the statement, setting or option that helps. */
  readonly message: string
  /** Whether the same call may succeed later without any change. Default: false. */
  readonly retryable?: boolean
  /** The error underneath, where there is one. */
  readonly cause?: unknown
  /** The `id` of the event that was being handled (ERR_HANDLER). */
  readonly eventId?: string
  /** The table of the listener whose event that was (ERR_HANDLER). */
  readonly table?: TableName
}

const brand: unique symbol = Symbol.for('rowtap.error') as never

/** The one error class of rowtap. Recognise it with {@link RowtapError.is}, not with `instanceof`. */
export class RowtapError extends Error {
  /** What happened, as a value to switch on. */
  readonly code: ErrorCode
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean
  /** The `id` of the event that was being handled, where one was. */
  readonly eventId: string | undefined
  /** The table of the listener whose handler failed (ERR_HANDLER). */
  readonly table: TableName | undefined

  constructor(code: ErrorCode, options: RowtapErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
    this.eventId = options.eventId
    this.table = options.table
    Object.defineProperty(this, brand, { value: true })
  }

  override get name(): string {
    return 'RowtapError'
  }

  /** True for a RowtapError of any installed copy of this package; with `code`, only for that code. */
  static is<K extends ErrorCode = ErrorCode>(error: unknown, code?: K): error is RowtapError & { readonly code: K } {
    if (typeof error !== 'object' || error === null || !(brand in error)) return false
    return code === undefined || ('code' in error && error.code === code)
  }
}
