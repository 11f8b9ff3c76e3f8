import { invalidOptions } from './check-option-names.ts'

/** A whole number greater than 0, or the default where the option is left out. */
export function wholeNumber(option: string, given: unknown, preset: number): number {
  if (given === undefined) return preset
  if (typeof given === 'number' && Number.isSafeInteger(given) && given > 0) return given
  throw invalidOptions(`'${option}' is a whole number greater than 0, not ${JSON.stringify(given)}.`)
}

/** One of a few words; the first of them where the option is left out. */
export function oneOf<const W extends string>(option: string, given: unknown, words: readonly [W, ...W[]]): W {
  if (given === undefined) return words[0]
  const word = words.find((known) => known === given)
  if (word !== undefined) return word
  throw invalidOptions(
    `'${option}' is ${words.map((known) => `'${known}'`).join(' or ')}, not ${JSON.stringify(given)}.`,
  )
}
