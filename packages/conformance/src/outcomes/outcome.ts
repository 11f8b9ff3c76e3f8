import type { TestDatabase } from '@rowtap/driver-testkit'
import { copyIn } from '@rowtap/driver-testkit'

/** A connection of a writer. */
export type Writer = Awaited<ReturnType<TestDatabase['connect']>>

/** One thing that a program does: a text of statements, or `COPY … FROM STDIN` with its text. */
export type Step = string | { readonly copy: string; readonly text: string }

/** What came of a step, as its program sees it. */
export interface Outcome {
  readonly step: Step
  readonly results: readonly {
    readonly command: string
    readonly rowCount: number | null
    readonly rows: readonly string[]
  }[]
  /** The members of PostgreSQL's error that a program may look at; `null`: it succeeded. */
  readonly error: Readonly<Record<string, string | undefined>> | null
  readonly notices: readonly string[]
}

/**
 * Runs a step, and returns what came of it, an error included. `:database` stands for the name of the database, in what it
 * runs as in what comes of it.
 */
export async function outcomeOf(writer: Writer, step: Step): Promise<Outcome> {
  const { database = '' } = writer
  const notices: string[] = []
  const hear = (notice: { readonly message: string | undefined }): void => void notices.push(notice.message ?? '')
  writer.on('notice', hear)
  try {
    return {
      step,
      results: await resultsOf(writer, typeof step === 'string' ? step.replaceAll(':database', database) : step),
      error: null,
      notices,
    }
  } catch (error) {
    return { step, results: [], error: membersOf(error, database), notices }
  } finally {
    writer.off('notice', hear)
  }
}

async function resultsOf(writer: Writer, step: Step): Promise<Outcome['results']> {
  if (typeof step !== 'string') {
    await copyIn(writer, step.copy, step.text)
    return []
  }
  const answer: unknown = await writer.query(step)
  return [answer]
    .flat()
    .filter(isResult)
    .map(({ command, rowCount, rows }) => ({ command, rowCount, rows: inAnyOrder(rows) }))
}

/** Where rows are in a table, and so the order in which they are returned, may depend on when the server cleans its pages. */
function inAnyOrder(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).toSorted()
}

function isResult(value: unknown): value is { command: string; rowCount: number | null; rows: readonly unknown[] } {
  return typeof value === 'object' && value !== null && 'command' in value && 'rowCount' in value && 'rows' in value
}

const MEMBERS = ['code', 'message', 'detail', 'hint', 'where', 'schema', 'table', 'column', 'constraint', 'position']

function membersOf(error: unknown, database: string): Record<string, string | undefined> {
  if (!(error instanceof Error) || !('code' in error)) throw error
  const members = new Map<string, unknown>(Object.entries(error))
  members.set('message', error.message)
  return Object.fromEntries(
    MEMBERS.map((name) => {
      const value = members.get(name)
      return [name, typeof value === 'string' ? value.replaceAll(database, ':database') : undefined]
    }),
  )
}
