import { UsageError } from '../failure/usage-error.ts'

/** Reads one word out of a few. Throws UsageError, naming the option and the words. */
export function oneOf<const W extends string>(option: string, words: readonly W[], text: string): W {
  const word = words.find((candidate) => candidate === text)
  if (word === undefined) throw new UsageError(`${option} takes ${listed(words)}, not ${JSON.stringify(text)}`)
  return word
}

/** Reads a comma-separated list of such words, each once. */
export function someOf<const W extends string>(option: string, words: readonly W[], text: string): readonly W[] {
  return [...new Set(text.split(',').map((part) => oneOf(option, words, part.trim())))]
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
