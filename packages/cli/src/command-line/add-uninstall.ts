import type { Command } from 'commander'

import { connectionUrl } from '../arguments/connection-url.ts'
import type { UninstallOptions } from '../commands/uninstall.ts'

interface UninstallFlags {
  readonly url?: string
  readonly subscription?: readonly string[]
  readonly yes?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

/** Adds `rowtap uninstall` to the command line. */
export function addUninstall(
  rowtap: Command,
  run: (options: UninstallOptions) => Promise<void>,
  environment: NodeJS.ProcessEnv,
): void {
  rowtap
    .command('uninstall')
    .description('what rowtap put into a database: lists it, asks, and removes it')
    .option('--url <url>', 'the database, as postgresql://user@host:5432/database (default: $DATABASE_URL)')
    .option('--subscription <name>', 'only what is for this subscription; may be given more than once', addName)
    .option('--yes', 'do not ask')
    .option('--force', 'remove what is in use, too, and disconnect whoever uses it')
    .option('--json', 'as one JSON object; asks nothing, so it removes with --yes only')
    .addHelpText('after', NOTES)
    .action(({ url, subscription = [], yes = false, force = false, json = false }: UninstallFlags) =>
      run({ url: connectionUrl(url, environment), subscriptions: subscription, yes, force, json }),
    )
}

/** Commander hands over what was given before; nothing at first. */
function addName(name: string, others: readonly string[] | undefined): readonly string[] {
  return [...(others ?? []), name]
}

const NOTES = `
Each object is listed with the statements that remove it. What a program uses
stays, unless --force is given: end the program first, or it may connect again.
Exit codes: 0 where nothing is left, or the answer was no; 1 where something is
left, or the database cannot be reached; 2 for a wrong command line, and without
--yes where there is no terminal to ask on.`
