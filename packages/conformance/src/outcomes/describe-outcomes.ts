import type { Client, DeliveredEvent, Driver, Where, Row } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { assertSameRows, eventually, fold, readTable } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import type { Outcome, Step } from './outcome.ts'
import { outcomeOf } from './outcome.ts'
import type { Script } from './script.ts'

const PATIENCE_MS = 60_000
/** The last row of every script. */
const END = 'public.the_end'

/** What is described. */
export interface OutcomesOptions {
  readonly scripts: readonly Script[]
  /** Makes a driver for the database of a script. */
  readonly create: (database: TestDatabase, script: Script) => Driver
  /** Which rows are listened to, and the same in words of this process. Default: all. */
  readonly wanted?: { readonly where: Where; readonly isWanted: (row: Row) => boolean }
  /** Whether the key is the only column that is listened to. Default: all are. */
  readonly onlyKeys?: boolean
}

/**
 * Describes that what a program does comes to the same whether or not its tables are captured, and that the events add up
 * to the tables.
 */
export function describeOutcomes(name: string, { scripts, create, wanted, onlyKeys = false }: OutcomesOptions): void {
  const wantedRows = (rows: ReadonlyMap<string, Row>, key: readonly string[]): ReadonlyMap<string, Row> => {
    const only = (row: Row): Row => (onlyKeys ? Object.fromEntries(key.map((column) => [column, row[column]])) : row)
    return new Map([...rows].filter(([, row]) => wanted?.isWanted(row) ?? true).map(([at, row]) => [at, only(row)]))
  }

  describePostgres(`statements on tables that ${name} captures`, (postgres) => {
    test.for(scripts)('$name', { timeout: 3 * PATIENCE_MS }, async (script, { skip }) => {
      skip(postgres.version < (script.minVersion ?? 0), `from PostgreSQL ${script.minVersion} on`)
      await using plain = await postgres.createDatabase()
      await using captured = await postgres.createDatabase()
      for (const database of [plain, captured]) {
        const setup = script.setup.replaceAll(':database', database.name)
        await database.query(`CREATE TABLE ${END} (id int PRIMARY KEY); ${setup}`)
      }
      const expected = await play(plain, script.steps)
      await using client = await connect(create(captured, script))
      const listeners = await listen(captured, script, client, wanted?.where, onlyKeys)
      const actual = await play(captured, script.steps)
      const isTold = script.errors !== 'any'
      for (const [index, outcome] of isTold ? actual.entries() : []) assert.deepEqual(outcome, expected[index])
      assertAsTold(actual, script)

      const events = await listeners.end()
      expect(listeners.gaps).toEqual(script.gaps ?? [])
      for (const { table, key = ['id'] } of script.tables) {
        const rows = await readTable(captured, table, key)
        if (isTold) assertSameRows(rows, await readTable(plain, table, key), `${table}, captured and not`)
        const { start, delivered } = events(table)
        const begun = [...wantedRows(start, key).values()]
        const folded = fold(delivered, { start: begun, key, strict: script.strict ?? true })
        assertSameRows(folded, wantedRows(rows, key), `the fold of ${table}`)
      }
    })
  })
}

/** Runs the steps one after the other, on one connection. */
async function play(database: TestDatabase, steps: readonly Step[]): Promise<readonly Outcome[]> {
  const writer = await database.connect()
  const outcomes: Outcome[] = []
  for (const step of steps) outcomes.push(await outcomeOf(writer, step))
  await writer.end()
  return outcomes
}

/**
 * What a script may fail with at random: a key that exists, a row that its own trigger has changed, or that is met twice; a
 * transaction that failed before.
 */
const RANDOM_ERRORS: ReadonlySet<string | undefined> = new Set(['23505', '27000', '21000', '25P02'])

/** A script that fails where it is not meant to would prove less than it seems to. */
function assertAsTold(outcomes: readonly Outcome[], { errors = [] }: Script): void {
  const failures = outcomes.flatMap(({ error }) => (error === null ? [] : [error]))
  const told = `the script’s errors: ${failures.map(({ message }) => message).join('; ')}`
  if (errors === 'any') {
    assert.ok(
      failures.every(({ code }) => RANDOM_ERRORS.has(code)),
      told,
    )
  } else {
    assert.deepEqual(
      failures.map(({ code }) => code),
      errors,
      told,
    )
  }
}

interface Heard {
  /** The rows at the beginning, and the events since. */
  readonly start: ReadonlyMap<string, Row>
  readonly delivered: readonly DeliveredEvent[]
}

interface Listeners {
  /** The reasons of the gaps that were told. */
  readonly gaps: readonly string[]
  /** Waits for all events. */
  end(): Promise<(table: string) => Heard>
}

async function listen(
  database: TestDatabase,
  { tables }: Script,
  client: Client,
  where: Where | undefined,
  onlyKeys: boolean,
): Promise<Listeners> {
  const gaps: string[] = []
  let failure: Error | null = null
  let isOver = false
  client.on('gap', ({ reason }) => void gaps.push(reason))
  client.on('error', (error) => {
    failure = error
  })
  const heard = new Map<string, Heard>()
  for (const { table, key } of tables) {
    const delivered: DeliveredEvent[] = []
    const listener = client.listen({
      table,
      ...(where === undefined ? {} : { where }),
      ...(onlyKeys ? { columns: key ?? ['id'] } : {}),
    })
    listener.on('change', (event) => void delivered.push(event))
    await listener.ready
    heard.set(table, { start: await readTable(database, table, key), delivered })
  }
  const last = client.listen({ table: END })
  last.on('insert', () => {
    isOver = true
  })
  await last.ready
  return {
    gaps,
    end: async () => {
      await database.query(`INSERT INTO ${END} VALUES (1)`)
      const told = (): boolean => {
        if (failure !== null) throw failure
        return isOver
      }
      await eventually(told, 'the last row', { timeoutMs: PATIENCE_MS })
      assert.deepEqual(await client.close({ timeoutMs: PATIENCE_MS }), { unfinished: 0 })
      return (table) => {
        const found = heard.get(table)
        assert.ok(found)
        return found
      }
    },
  }
}
