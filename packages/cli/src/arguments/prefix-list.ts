import { UsageError } from '../failure/usage-error.ts'

/**
 * Reads the prefixes of logical messages, separated by commas.
 *
 * @throws UsageError where one is empty.
 */
export function prefixList(text: string): readonly string[] {
  const prefixes = text.split(',')
  if (prefixes.every((prefix) => prefix !== '')) return [...new Set(prefixes)]
  throw new UsageError(`--messages takes prefixes separated by commas, or nothing for all, not ${JSON.stringify(text)}`)
}
