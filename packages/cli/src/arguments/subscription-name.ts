import { UsageError } from '../failure/usage-error.ts'

/**
 * Reads the name of a subscription, as the library takes it.
 *
 * @throws UsageError where it cannot be one.
 */
export function subscriptionName(text: string): string {
  if (/^[a-z][a-z0-9_]{0,39}$/u.test(text)) return text
  throw new UsageError(
    `--subscription takes 1 to 40 lower-case letters (a to z), digits and underscores, beginning with a letter, not ${JSON.stringify(text)}`,
  )
}
