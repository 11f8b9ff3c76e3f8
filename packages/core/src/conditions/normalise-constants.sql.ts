import type { ConstantToNormalise, NormaliseConstants, NormalisedConstant } from './normalise-constants.ts'

/** A statement with its parameters, all of them texts. */
export interface Statement {
  readonly text: string
  readonly values: readonly string[]
  /** The same for the same text, which comes again and again: a connection may have it prepared. Left out: it may not. */
  readonly name?: string
}

/** Runs a statement and returns its one row, as texts in the order of its columns. Rejects with the server's error. */
export type QueryRow = (statement: Statement) => Promise<readonly (string | null)[]>

/**
 * The settings under which constants are read and values are printed. Whoever runs a statement made here has set them
 * on the connection.
 */
export const CANONICAL_SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  client_encoding: 'UTF8',
}

/** How many constants one statement reads. */
const BATCH = 500

/**
 * Has constants read and printed by a connection: a batch in one statement, and one by one where that fails, to learn
 * which of them cannot be read, and why.
 */
export function normaliseConstants(queryRow: QueryRow): NormaliseConstants {
  return async (constants) => {
    const answers: NormalisedConstant[] = []
    for (let at = 0; at < constants.length; at += BATCH) {
      answers.push(...(await normaliseBatch(constants.slice(at, at + BATCH), queryRow)))
    }
    return answers
  }
}

/**
 * Reads constants in the input syntax of their types and prints them with the types' output functions. The types'
 * names are quoted ones from the catalogue; the constants are parameters.
 */
export function normaliseStatement(constants: readonly ConstantToNormalise[]): Statement {
  const outputs = constants.map((constant, index) => {
    const value = `CAST($${index + 1} AS ${constant.castName})`
    const compared = constant.comparedAs === null ? value : `CAST(${value} AS ${constant.comparedAs})`
    // A cast to text is not for every type what its output function prints; format's %s is.
    return `pg_catalog.format('%s', ${compared})`
  })
  return { text: `SELECT ${outputs.join(', ')}`, values: constants.map((constant) => constant.text) }
}

async function normaliseBatch(
  constants: readonly ConstantToNormalise[],
  queryRow: QueryRow,
): Promise<readonly NormalisedConstant[]> {
  try {
    const row = await queryRow(normaliseStatement(constants))
    return constants.map((_, index) => ({ text: row[index] ?? '' }))
  } catch (error) {
    const message = valueError(error)
    if (message === null) throw error
    if (constants.length === 1) return [{ error: message }]
    const answers: NormalisedConstant[] = []
    for (const constant of constants) answers.push(...(await normaliseBatch([constant], queryRow)))
    return answers
  }
}

/** The message of an error that is the value's fault: a data exception, or a domain's constraint. */
function valueError(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null
  return /^(?:22|23)/u.test(error.code) ? error.message : null
}
