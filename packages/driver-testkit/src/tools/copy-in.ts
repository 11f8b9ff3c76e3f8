import type { Client, Connection, Submittable } from 'pg'

/** Runs `COPY … FROM STDIN` with this text. */
export function copyIn(client: Client, sql: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(sql, text, resolve, reject))
  })
}

/** The part of `pg`'s connection that COPY uses, and that its types leave out. */
interface CopyConnection {
  query(sql: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/** `pg` calls these methods with what the server answers. */
class CopyIn implements Submittable {
  readonly #sql: string
  readonly #text: string
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void

  constructor(sql: string, text: string, resolve: () => void, reject: (error: unknown) => void) {
    this.#sql = sql
    this.#text = text
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    connection.query(this.#sql)
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(Buffer.from(this.#text))
    connection.endCopyFrom()
  }

  /** After this `pg` tells of nothing more. */
  handleError(error: unknown): void {
    this.#reject(error)
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#resolve()
  }
}
