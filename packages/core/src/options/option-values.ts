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
  throw invalidOptions(notOneOf(option, given, words, otherwise))
}

function notOneOf(option: string, given: unknown, words: readonly string[], otherwise: string | null): string {
  const known = [...words.map((one) => `'${one}'`), ...(otherwise === null ? [] : [otherwise])]
  const hint = typeof given === 'string' ? didYouMean(given, words) : ''
  return `'${option}' is ${known.join(' or ')}, not ${shownValue(given)}.${hint}`
}

/** Which numbers an option may be. */
export interface NumberRange {
  readonly least: number
  /** Left out: there is no bound, `Infinity` included. */
  readonly most?: number
  /** What it counts; left out: things. */
  readonly of?: 'milliseconds' | 'bytes'
  /** Whether parts of one are not meant. Default: false. */
  readonly isWhole?: boolean
}

/**
 * A number within bounds, or the default where the option is left out.
 *
 * @param where what was given the option, for messages: `'walDriver()'`.
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function numberOption<P extends number | null>(
  where: string,
  option: string,
  given: unknown,
  preset: P,
  { least, most = Infinity, of, isWhole = false }: NumberRange,
): number | P {
  if (given === undefined) return preset
  if (typeof given === 'number' && given >= least && given <= most && (!isWhole || Number.isSafeInteger(given))) {
    return given
  }
  const what = `a ${isWhole ? 'whole ' : ''}number${of === undefined ? '' : ` of ${of}`}`
  const bounds = most === Infinity ? `, ${least} or more,` : ` from ${least} to ${most},`
  throw invalidOptions(`${where}: '${option}' is ${what}${bounds} not ${shownValue(given)}.`)
}

/**
 * One of a few words, or the default where the option is left out.
 *
 * @param where what was given the option, for messages: `'walDriver()'`.
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function wordOption<const W extends string, P extends W | null>(
  where: string,
  option: string,
  given: unknown,
  preset: P,
  words: readonly [W, ...W[]],
): W | P {
  if (given === undefined) return preset
  const word = words.find((known) => known === given)
  if (word !== undefined) return word
  throw invalidOptions(`${where}: ${notOneOf(option, given, words, null)}`)
}

/**
 * True or false, or false where the option is left out.
 *
 * @param where what was given the option, for messages: `'walDriver()'`.
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function booleanOption(where: string, option: string, given: unknown): boolean {
  if (given === undefined || typeof given === 'boolean') return given ?? false
  throw invalidOptions(`${where}: '${option}' is true or false, not ${shownValue(given)}.`)
}
