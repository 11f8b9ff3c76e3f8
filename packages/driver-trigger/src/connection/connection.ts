import type { ConnectionTarget, QueryRow } from '@rowtap/core/driver'
import {
  connectError,
  connectionLost,
  connectionUnreadable,
  RowtapError,
  SQLSTATE_MEANINGS,
  statementError,
} from '@rowtap/core/driver'
import pg from 'pg'
import {
  LOCAL_LIMITS,
  LOCAL_READER_SETTINGS,
  LOCAL_SETTINGS,
  PROCESS_STARTED,
  READER_SETTINGS,
  SESSION_SETTINGS,
} from '../sql/catalog-statements.ts'
import type { Sql } from '../sql/sql.ts'
import type { ResolvedTriggerOptions } from '../trigger-options.ts'

/** A value of a statement's parameter. */
export type Parameter = string | number | boolean | null | readonly string[] | readonly number[]

/** Runs statements, one after the other. */
export interface Queries {
  /** Runs a statement and returns its rows as objects. */
  rows<R extends object>(statement: Sql, values?: readonly Parameter[]): Promise<readonly R[]>
  /** Runs a prepared statement and returns its rows as arrays of text. */
  texts(name: string, statement: Sql, values: readonly Parameter[]): Promise<readonly (readonly (string | null)[])[]>
  /** Runs a statement, or several without values, and returns the number of rows that it changed. */
  run(statement: Sql | string, values?: readonly Parameter[]): Promise<number>
}

/** One connection to the server, with errors as {@link RowtapError}. */
export interface Connection extends Queries {
  /** Whom it is with, for messages. */
  readonly target: ConnectionTarget
  /** The server process on the other side; 0 where a pooler may give each transaction another one. */
  readonly processId: number
  /** When that process began, as PostgreSQL prints it: another one may have its number later. Empty where the role may not see it. */
  readonly processStarted: string
  /** Aborted when the connection has ended, with the error as its reason. */
  readonly ended: AbortSignal
  /** Since when a statement has been under way, as `performance.now()` counts; `null` where none is. */
  readonly busySince: number | null
  /**
   * Runs statements in one transaction. Those of other callers wait. What throws rolls it back.
   *
   * @param opening statements that have to come before the first query.
   */
  transaction<T>(body: (queries: Queries) => Promise<T>, opening?: string): Promise<T>
  /** Runs a statement that core made and returns its one row, as texts. An error of the server's is `pg`'s own. */
  readonly textRow: QueryRow
  /** Hears of notifications. */
  onNotification(handler: () => void): void
  /** Disconnects, after what is running. Where the other side does not say goodbye in time, its socket is closed. */
  close(): Promise<void>
  /** Counts the connection as lost, and closes its socket: what is under way fails. */
  drop(reason: Error): void
}

const asText = (text: string): unknown => text
const textTypes = { getTypeParser: () => asText }
// What a program sets on pg's types globally is for its rows, not for ours.
const ownTypes = { getTypeParser: (oid: number) => ownParsers[oid] ?? asText }
const ownParsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  21: Number,
  23: Number,
  3802: (text): unknown => JSON.parse(text),
}

/** What a connection is made with. */
export type ConnectionOptions = Pick<ResolvedTriggerOptions, 'connection' | 'schema'> &
  Partial<Pick<ResolvedTriggerOptions, 'pooler'>>

const DEFAULT_TIMEOUT_MS = 10_000
/** How long the other side may take to say goodbye. */
const GOODBYE_MS = 1000

/**
 * Connects, and makes the session's settings ours.
 *
 * @throws RowtapError ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_ABORTED, …
 */
export async function openConnection(
  options: ConnectionOptions,
  signal: AbortSignal,
  use: 'control' | 'reader' = 'control',
): Promise<Connection> {
  const config = clientConfig(options)
  const client = makeClient(config)
  const ended = new AbortController()
  const end = (error: unknown): void => {
    if (!ended.signal.aborted) ended.abort(connectionLost(error))
  }
  client.on('error', end)
  client.on('end', () => end(new Error('Connection terminated')))
  // The client library's own timeout is over when the server has answered once.
  const timer = setTimeout(
    () => client.connection.stream.destroy(new Error('timeout expired')),
    2 * (config.connectionTimeoutMillis ?? DEFAULT_TIMEOUT_MS),
  )
  try {
    await abortable(client.connect(), signal)
    const { schema } = options
    const parts = { schema, end, ended: ended.signal, begin: 'begin', limits: null, isPooled: false, started: '' }
    if (options.pooler === 'transaction') {
      const settings = `${LOCAL_SETTINGS.text(schema)}${use === 'reader' ? LOCAL_READER_SETTINGS.text(schema) : ''}`
      return makeConnection(client, { ...parts, begin: settings, limits: LOCAL_LIMITS, isPooled: true })
    }
    await abortable(client.query(SESSION_SETTINGS.text(schema)), signal)
    if (use === 'reader') await abortable(client.query(READER_SETTINGS.text(schema)), signal)
    const query = { text: PROCESS_STARTED.text(schema), types: ownTypes }
    const { rows } = await abortable(client.query<{ started: string | null }>(query), signal)
    return makeConnection(client, { ...parts, started: rows[0]?.started ?? '' })
  } catch (error) {
    // The attempt is over either way: what ending it reports adds nothing.
    endWithin(client).catch(() => {})
    throw connectError(error, targetOf(client))
  } finally {
    clearTimeout(timer)
  }
}

function clientConfig({ connection }: Pick<ConnectionOptions, 'connection'>): pg.ClientConfig {
  const given = typeof connection === 'string' ? { connectionString: connection } : connection
  const config: pg.ClientConfig = {
    connectionTimeoutMillis: DEFAULT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'rowtap',
  }
  for (const [key, value] of Object.entries(given)) if (value !== undefined) Object.assign(config, { [key]: value })
  return config
}

function makeClient(config: pg.ClientConfig): pg.Client {
  try {
    return new pg.Client(config)
  } catch (error) {
    throw connectionUnreadable('triggerDriver', error)
  }
}

/** Ends a connection in an orderly way, or closes its socket where that takes long: the other side may be gone. */
async function endWithin(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), GOODBYE_MS)
  try {
    await client.end()
  } finally {
    clearTimeout(timer)
  }
}

interface ConnectionParts {
  readonly schema: string
  readonly ended: AbortSignal
  readonly end: (error: unknown) => void
  readonly started: string
  /** Begins a transaction. */
  readonly begin: string
  /** The first query of each transaction, where there has to be one. */
  readonly limits: Sql | null
  /** Whether each transaction may be with another process of the server. */
  readonly isPooled: boolean
}

function makeConnection(client: pg.Client, parts: ConnectionParts): Connection {
  const { schema, ended, end, started, begin, limits, isPooled } = parts
  let busySince: number | null = null
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const mine = turn.then(body)
    // The caller hears of the failure; the next in line only waits for the end.
    turn = mine.catch(() => {})
    return mine
  }
  const attempt = async <T>(query: () => Promise<T>): Promise<T> => {
    if (ended.aborted) throw lossOf(ended)
    busySince = performance.now()
    try {
      return await query()
    } catch (error) {
      // The reason why the connection ended says more than that this statement could not be sent.
      if (ended.aborted) throw lossOf(ended)
      throw statementError(error, 'run a statement of rowtap’s', SQLSTATE_MEANINGS)
    } finally {
      busySince = null
    }
  }
  const direct: Queries = {
    rows: <R extends object>(statement: Sql, values: readonly Parameter[] = []) =>
      attempt(
        async () =>
          (await client.query<R>({ text: statement.text(schema), values: [...values], types: ownTypes })).rows,
      ),
    texts: (name, statement, values) =>
      attempt(async () => {
        const text = statement.text(schema)
        const prepared = isPooled ? {} : { name }
        const query = { ...prepared, text, values: [...values], rowMode: 'array' as const, types: textTypes }
        return (await client.query<(string | null)[]>(query)).rows
      }),
    run: (statement, values) =>
      attempt(async () => {
        const text = typeof statement === 'string' ? statement : statement.text(schema)
        const result = await (values === undefined ? client.query(text) : client.query(text, [...values]))
        return result.rowCount ?? 0
      }),
  }
  const transaction = <T>(body: (queries: Queries) => Promise<T>, opening = ''): Promise<T> =>
    inTurn(async () => {
      await direct.run(begin)
      try {
        if (opening !== '') await direct.run(opening)
        if (limits !== null) await direct.run(limits)
        const result = await body(direct)
        await direct.run('commit')
        return result
      } catch (error) {
        if (!ended.aborted) await direct.run('rollback')
        throw error
      }
    })
  // What a session keeps is there within a transaction only, where a pooler is in between.
  const alone = <T>(body: (queries: Queries) => Promise<T>): Promise<T> =>
    isPooled ? transaction(body) : inTurn(() => body(direct))
  return {
    target: targetOf(client),
    processId: isPooled ? 0 : processIdOf(client),
    processStarted: started,
    ended,
    get busySince() {
      return busySince
    },
    rows: (statement, values) => alone((queries) => queries.rows(statement, values)),
    texts: (name, statement, values) => alone((queries) => queries.texts(name, statement, values)),
    run: (statement, values) => alone((queries) => queries.run(statement, values)),
    transaction,
    textRow: ({ text, values }) =>
      alone(async () => {
        if (ended.aborted) throw lossOf(ended)
        const query = { text, values: [...values], rowMode: 'array' as const, types: textTypes }
        const { rows } = await client.query<(string | null)[]>(query)
        return rows[0] ?? []
      }),
    onNotification: (handler) => {
      client.on('notification', handler)
    },
    close: () =>
      inTurn(async () => {
        if (ended.aborted) return
        await endWithin(client)
      }),
    drop: (reason) => {
      end(reason)
      client.connection.stream.destroy()
    },
  }
}

function targetOf({ host, port, database = '', user = '' }: pg.Client): ConnectionTarget {
  return { address: `${host}:${port}`, database, user }
}

function processIdOf(client: pg.Client): number {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : 0
}

/** The error that ended a connection. */
export function lossOf(ended: AbortSignal): RowtapError {
  const reason: unknown = ended.reason
  return RowtapError.is(reason) ? reason : connectionLost(reason)
}

/** Rejects as soon as the signal is aborted; the work goes on unobserved. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new RowtapError('ERR_ABORTED', { message: 'Connecting was given up.', cause: signal.reason }))
    }
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    const settled = (): void => signal.removeEventListener('abort', abort)
    work.then(resolve, reject).then(settled, settled)
  })
}
