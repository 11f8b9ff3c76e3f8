import { UsageError } from '../failure/usage-error.ts'

/**
 * Reads a condition in SQL, which is looked into once the table is known.
 *
 * @throws UsageError where there is none, as with a variable of the shell that is not set.
 */
export function conditionText(text: string): string {
  if (text.trim() !== '') return text
  throw new UsageError('--where is empty: give a condition, as in --where "status = \'paid\'", or leave it out')
}
