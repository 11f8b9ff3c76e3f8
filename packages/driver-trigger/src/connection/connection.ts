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
import { SESSION_SETTINGS } from '../sql/catalog-statements.ts'
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
  /** The server process on the other side. */
  readonly processId: number
  /** Aborted when the connection has ended, with the error as its reason. */
  readonly ended: AbortSignal
  /** Runs statements in one transaction. Those of other callers wait. What throws rolls it back. */
  transaction<T>(body: (queries: Queries) => Promise<T>): Promise<T>
  /** Runs a statement that core made and returns its one row, as texts. An error of the server's is `pg`'s own. */
  readonly textRow: QueryRow
  /** Hears of notifications. */
  onNotification(handler: () => void): void
  /** Disconnects, after what is running. */
  close(): Promise<void>
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

/**
 * Connects, and makes the session's settings ours.
 *
 * @throws RowtapError ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_ABORTED, …
 */
export async function openConnection(options: ResolvedTriggerOptions, signal: AbortSignal): Promise<Connection> {
  const client = makeClient(options)
  const ended = new AbortController()
  const end = (error: unknown): void => {
    if (!ended.signal.aborted) ended.abort(connectionLost(error))
  }
  client.on('error', end)
  client.on('end', () => end(new Error('Connection terminated')))
  try {
    await abortable(client.connect(), signal)
    await abortable(client.query(SESSION_SETTINGS.text(options.schema)), signal)
  } catch (error) {
    // The attempt is over either way: what ending it reports adds nothing.
    client.end().catch(() => {})
    throw connectError(error, targetOf(client))
  }
  return makeConnection(client, options.schema, ended.signal)
}

function makeClient(options: ResolvedTriggerOptions): pg.Client {
  const given = typeof options.connection === 'string' ? { connectionString: options.connection } : options.connection
  const config: pg.ClientConfig = { connectionTimeoutMillis: 10_000, keepAlive: true, application_name: 'rowtap' }
  for (const [key, value] of Object.entries(given)) if (value !== undefined) Object.assign(config, { [key]: value })
  try {
    return new pg.Client(config)
  } catch (error) {
    throw connectionUnreadable('triggerDriver', error)
  }
}

function makeConnection(client: pg.Client, schema: string, ended: AbortSignal): Connection {
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const mine = turn.then(body)
    // The caller hears of the failure; the next in line only waits for the end.
    turn = mine.catch(() => {})
    return mine
  }
  const attempt = async <T>(query: () => Promise<T>): Promise<T> => {
    if (ended.aborted) throw lossOf(ended)
    try {
      return await query()
    } catch (error) {
      // The reason why the connection ended says more than that this statement could not be sent.
      if (ended.aborted) throw lossOf(ended)
      throw statementError(error, 'run a statement of rowtap’s', SQLSTATE_MEANINGS)
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
        const query = { name, text, values: [...values], rowMode: 'array' as const, types: textTypes }
        return (await client.query<(string | null)[]>(query)).rows
      }),
    run: (statement, values) =>
      attempt(async () => {
        const text = typeof statement === 'string' ? statement : statement.text(schema)
        const result = await (values === undefined ? client.query(text) : client.query(text, [...values]))
        return result.rowCount ?? 0
      }),
  }
  return {
    target: targetOf(client),
    processId: processIdOf(client),
    ended,
    rows: (statement, values) => inTurn(() => direct.rows(statement, values)),
    texts: (name, statement, values) => inTurn(() => direct.texts(name, statement, values)),
    run: (statement, values) => inTurn(() => direct.run(statement, values)),
    transaction: (body) =>
      inTurn(async () => {
        await direct.run('begin')
        try {
          const result = await body(direct)
          await direct.run('commit')
          return result
        } catch (error) {
          if (!ended.aborted) await direct.run('rollback')
          throw error
        }
      }),
    textRow: ({ text, values }) =>
      inTurn(async () => {
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
        await client.end()
      }),
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
