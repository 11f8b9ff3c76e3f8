import type { Row } from '@rowtap/core'
import type { Client } from 'pg'
import pg from 'pg'

import type { TableReader } from './shop-observer.ts'
import { SHOP_SCHEMA } from './shop-schema.ts'
import { COMMIT_TIMES } from './shop-statements.ts'

/** The shop's database, and the connections of those who work in it. */
export class ShopDatabase implements AsyncDisposable {
  readonly url: string
  readonly #office: Client
  readonly #writers: readonly Client[]

  /** Connects, and sets the shop up. */
  static async open(url: string, writers: number): Promise<ShopDatabase> {
    const connections = await Promise.all(Array.from({ length: writers + 1 }, () => connection(url)))
    const [office, ...others] = connections
    if (office === undefined) throw new RangeError('a shop has at least one connection')
    await office.query(SHOP_SCHEMA)
    return new ShopDatabase(url, office, others)
  }

  private constructor(url: string, office: Client, writers: readonly Client[]) {
    this.url = url
    this.#office = office
    this.#writers = writers
  }

  /** One connection for each writer. */
  get writers(): readonly Client[] {
    return this.#writers
  }

  /** The connection of whoever is not a writer. */
  get office(): Client {
    return this.#office
  }

  /** The server's version: `18.4`. */
  async version(): Promise<string> {
    const { rows } = await this.#office.query<{ server_version: string }>('SHOW server_version')
    return rows[0]?.server_version.split(' ')[0] ?? ''
  }

  /** Reads one of the shop's tables, whose names need no quotes. */
  readonly read: TableReader = async (table) => {
    const { rows } = await this.#office.query<Row>(`SELECT * FROM ${pg.escapeIdentifier(table)}`)
    return rows
  }

  /** When transactions committed, by id: PostgreSQL's own time, in microseconds since 1970. */
  async commitTimes(transactionIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#office.query<{ id: string; time: string }>(COMMIT_TIMES, [transactionIds])
    return new Map(rows.map(({ id, time }) => [id, Number(time)]))
  }

  /** Disconnects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#office, ...this.#writers].map((client) => client.end()))
  }
}

async function connection(url: string): Promise<Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'rowtap-demo-shop' })
  // The server is gone: whoever uses the connection next is told so.
  client.on('error', () => {})
  await client.connect()
  return client
}
