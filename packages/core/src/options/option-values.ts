import { invalidOptions } from './check-option-names.ts'
import { didYouMean } from './nearest-name.ts'
import { shownValue } from './value-kind.ts'

/** A whole number greater than 0, or the default where the option is left out. */
export function wholeNumber(option: string, given: unknown, preset: number): number {
  if (given === undefined) return preset
  if (typeof given === 'number' && Number.isSafeInteger(given) && given > 0) return given
  throw invalidOptions(`'${option}' is a whole number greater than 0, not ${shownValue(given)}.`)
}

/** One of a few words; the first of them where the option is left out. `otherwise`: what else the option may be. */
export function oneOf<const W extends string>(
  option: string,
  given: unknown,
  words: readonly [W, ...W[]],
  otherwise: string | null = null,
): W {
  if (given === undefined) return words[0]
  const word = words.find((known) => known === given)
  if (word !== undefined) return word
  const known = [...words.map((one) => `'${one}'`), ...(otherwise === null ? [] : [otherwise])]
  const hint = typeof given === 'string' ? didYouMean(given, words) : ''
  throw invalidOptions(`'${option}' is ${known.join(' or ')}, not ${shownValue(given)}.${hint}`)
}
