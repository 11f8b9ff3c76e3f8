import { RowtapError } from '../rowtap-error.ts'
import { didYouMean } from './nearest-name.ts'
import { valueKind } from './value-kind.ts'

/**
 * Refuses a value that is not an object, and names that nobody knows: a misspelt option that is ignored in
 * silence is worse than one that fails.
 */
export function checkOptionNames(where: string, options: unknown, known: readonly string[]): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOptions(`${where} takes an object of options, and not ${valueKind(options)}.`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const hint = didYouMean(name, known) || ` Its options are ${known.join(', ')}.`
      throw invalidOptions(`${where} has no option ${JSON.stringify(name)}.${hint}`)
    }
  }
}

/** An ERR_INVALID_OPTIONS with this sentence. */
export function invalidOptions(message: string): RowtapError {
  return new RowtapError('ERR_INVALID_OPTIONS', { message })
}
