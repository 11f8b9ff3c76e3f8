/** The command line itself is wrong: exit code 2. The message is one sentence that names the argument. */
export class UsageError extends Error {
  override get name(): string {
    return 'UsageError'
  }
}
