import type { TableName } from '@rowtap/core'
import type { Command } from 'commander'

import { connectionUrl } from '../arguments/connection-url.ts'
import { oneOf } from '../arguments/one-of.ts'
import { addTable } from '../arguments/table-list.ts'
import type { DoctorOptions } from '../commands/doctor.ts'
import type { DriverName } from '../drivers/known-drivers.ts'
import { DRIVER_NAMES } from '../drivers/known-drivers.ts'

interface DoctorFlags {
  readonly url?: string
  readonly driver?: DriverName
  readonly table?: readonly TableName[]
  readonly json?: boolean
}

/** Adds `rowtap doctor` to the command line. */
export function addDoctor(
  rowtap: Command,
  run: (options: DoctorOptions) => Promise<void>,
  environment: NodeJS.ProcessEnv,
): void {
  rowtap
    .command('doctor')
    .description('whether the drivers can work on a database, and how they do; changes nothing')
    .option('--url <url>', 'the database, as postgresql://user@host:5432/database (default: $DATABASE_URL)')
    .option('--driver <name>', `${DRIVER_NAMES.join(' or ')}; default: all`, (text) =>
      oneOf('--driver', DRIVER_NAMES, text),
    )
    .option('--table <name>', 'a table, written as in SQL; may be given more than once', addTable)
    .option('--json', 'as one JSON object')
    .addHelpText('after', NOTES)
    .action(({ url, table = [], json = false, ...driver }: DoctorFlags) =>
      run({ ...driver, url: connectionUrl(url, environment), tables: table, json }),
    )
}

const NOTES = `
Each line is ok, a warning or a problem, with the statements that help.
Exit codes: 0 where there is no problem; 1 where there is one, or the database
cannot be reached; 2 for a wrong command line.

Example:
  rowtap doctor --url postgresql://localhost/shop --driver wal --table orders`
