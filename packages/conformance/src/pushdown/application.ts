import type { TestDatabase } from '@rowtap/driver-testkit'
import { seededRandom } from '@rowtap/driver-testkit'
import assert from 'node:assert/strict'
import type pg from 'pg'

/** A row as it was inserted. */
export interface Inserted {
  readonly id: number
  readonly a: number | null
  readonly b: string
}

const WRITERS = 2
/** Rows that a writer inserts between two alterations. */
const ROWS_BETWEEN = 15

/** Columns `a` and `b` are those that listeners name, besides the key. */
const TABLE = `(id int PRIMARY KEY, a int, b text COLLATE "C", e int, f text DEFAULT 'f')`

/**
 * An application that writes to tables and alters them all the time. Whatever it does to a table that is captured it does
 * to a twin of it that is not, and the two have to come to the same: the number of rows, or the error.
 */
export class Application {
  /** What is certain to be committed. */
  readonly inserted: Inserted[] = []
  readonly #database: TestDatabase
  readonly #random = seededRandom(3)
  readonly #added: string[] = []
  #statements = 0
  #hasKey = true
  #isWide = false
  #lastId = 0
  #isStopped = false

  constructor(database: TestDatabase) {
    this.#database = database
  }

  /** The greatest id of a row whose insertion has begun. */
  get lastId(): number {
    return this.#lastId
  }

  /** How many statements were executed on each of the twins. */
  get statements(): number {
    return this.#statements
  }

  /** Makes `t`, of which inserts alone are listened to, and `v`, of which everything is, and their twins. */
  async setUp(): Promise<void> {
    for (const name of ['t', 't_twin', 'v', 'v_twin']) await this.#database.query(`CREATE TABLE ${name} ${TABLE}`)
  }

  /** Writes and alters until it is stopped. Rejects where a captured table comes to something else than its twin. */
  async run(): Promise<void> {
    const connections = await Promise.all(Array.from({ length: WRITERS }, () => this.#database.connect()))
    await Promise.all(connections.map((connection, index) => this.#write(connection, index)))
  }

  /** Stops soon. */
  stop(): void {
    this.#isStopped = true
  }

  async #write(connection: pg.ClientBase, writer: number): Promise<void> {
    for (let count = 1; !this.#isStopped; count += 1) {
      this.#lastId += 1
      const number = this.#random.integer(6)
      const row: Inserted = {
        id: this.#lastId,
        a: number === 5 ? null : number,
        b: ['x', "it's", 'y'][this.#random.integer(3)] ?? '',
      }
      for (const table of ['v', 't']) {
        await this.#both(connection, table, (name) => `INSERT INTO ${name} (id, a, b) VALUES ($1, $2, $3)`, [
          row.id,
          row.a,
          row.b,
        ])
        if (table === 't') this.inserted.push(row)
        if (count % 2 === 0) {
          await this.#both(connection, table, (name) => `UPDATE ${name} SET a = a + 1, b = b WHERE id = $1`, [row.id])
        }
        if (count % 3 === 0) {
          await this.#both(connection, table, (name) => `UPDATE ${name} SET f = f || 'f' WHERE id = $1`, [row.id])
        }
        if (count % 5 === 0)
          await this.#both(connection, table, (name) => `DELETE FROM ${name} WHERE id = $1`, [row.id])
      }
      if (writer === 0 && count % ROWS_BETWEEN === 0) await this.#alter(connection)
    }
  }

  async #alter(connection: pg.ClientBase): Promise<void> {
    const alteration = this.#nextAlteration()
    await this.#both(connection, 't', (name) => `ALTER TABLE ${name} ${alteration(name)}`)
    const identity = this.#random.pick(['FULL', 'DEFAULT'])
    // As long as updates are published, whoever publishes them, PostgreSQL wants an identity.
    await this.#both(connection, 'v', (name) => `ALTER TABLE ${name} REPLICA IDENTITY ${identity}`)
  }

  #nextAlteration(): (name: string) => string {
    switch (this.#random.integer(4)) {
      case 0: {
        const oldest = this.#added.length > 2 ? this.#added.shift() : undefined
        if (oldest !== undefined) return () => `DROP COLUMN ${oldest}`
        const added = `n${this.#statements}`
        this.#added.push(added)
        return () => `ADD COLUMN ${added} int DEFAULT 7`
      }
      case 1: {
        this.#isWide = !this.#isWide
        const type = this.#isWide ? 'bigint' : 'int'
        return () => `ALTER COLUMN e TYPE ${type}`
      }
      case 2: {
        this.#hasKey = !this.#hasKey
        const isGiven = this.#hasKey
        return (name) => (isGiven ? `ADD CONSTRAINT ${name}_pkey PRIMARY KEY (id)` : `DROP CONSTRAINT ${name}_pkey`)
      }
      default: {
        const identity = this.#random.pick(['FULL', 'DEFAULT', 'NOTHING'])
        return () => `REPLICA IDENTITY ${identity}`
      }
    }
  }

  async #both(
    connection: pg.ClientBase,
    table: string,
    statementOn: (name: string) => string,
    values: readonly unknown[] = [],
  ): Promise<void> {
    const statement = statementOn(table)
    const captured = await outcome(connection, statement, values)
    const twin = await outcome(connection, statementOn(`${table}_twin`), values)
    assert.deepEqual(captured, twin, `${statement} comes to the same whether or not its table is captured`)
    this.#statements += 1
  }
}

async function outcome(connection: pg.ClientBase, statement: string, values: readonly unknown[]): Promise<unknown> {
  try {
    const { command, rowCount } = await connection.query(statement, [...values])
    return { command, rowCount }
  } catch (error) {
    return { error: String(error).replaceAll('_twin', '') }
  }
}
