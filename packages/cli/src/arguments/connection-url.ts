import { UsageError } from '../failure/usage-error.ts'

const EXAMPLE = 'postgresql://user@localhost:5432/database'

/**
 * The connection string to use: the one given, else the environment's DATABASE_URL.
 *
 * @throws UsageError where there is none, or where it is none. The message never repeats it: it may hold a password.
 */
export function connectionUrl(given: string | undefined, environment: NodeJS.ProcessEnv): string {
  const source = given === undefined ? 'DATABASE_URL' : '--url'
  const url = given ?? environment['DATABASE_URL'] ?? ''
  if (url === '') throw new UsageError(`a database is needed: give --url or set DATABASE_URL, for example ${EXAMPLE}`)
  if (!/^postgres(?:ql)?:\/\//.test(url)) {
    throw new UsageError(`${source} is not a PostgreSQL connection string: it looks like ${EXAMPLE}`)
  }
  // `user@/database` (a socket named by a parameter) is a connection string, but has no host as URLs need one.
  if (!URL.canParse(url.replace('@/', '@localhost/').replaceAll(' ', '%20'))) {
    throw new UsageError(
      `${source} cannot be read as a URL: special characters in a user name or password are percent-encoded (@ is %40, # is %23, / is %2F)`,
    )
  }
  return url
}
