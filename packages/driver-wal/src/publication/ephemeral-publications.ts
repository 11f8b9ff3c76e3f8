import type { PlannedStatement } from '@rowtap/core/driver'
import { inlineParameters } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { CaptureName } from './capture-name.ts'
import { ephemeralName } from './ephemeral-name.ts'
import type { EphemeralName } from './ephemeral-name.ts'
import {
  createPublication,
  FIND_ABANDONED,
  LOCK,
  LOCK_ABANDONED,
  removePublications,
  UNLOCK,
} from './publication-sql.ts'
import { inTransaction, textOf } from './transaction-statements.ts'

/**
 * Makes a client's two empty publications. The advisory lock comes first: from the moment that a publication can
 * be seen until the connection ends, everyone can tell that its owner lives. The error of a failure is `pg`'s.
 */
export async function createEphemeralPublications(
  control: ControlConnection,
  name: EphemeralName,
  serverVersion: number,
): Promise<void> {
  await control.query(LOCK, [name.digits])
  await control.transaction(textOf(creations(name, serverVersion)))
}

/**
 * The statements that {@link removeAbandonedPublications} and {@link createEphemeralPublications} would run, as things
 * are now. The error of a failure is `pg`'s.
 */
export async function publicationStatements(
  control: ControlConnection,
  name: EphemeralName,
  serverVersion: number,
): Promise<readonly PlannedStatement[]> {
  const abandoned = await control.query<'digits'>(FIND_ABANDONED)
  return [
    {
      sql: LOCK_ABANDONED.trim(),
      purpose: 'Looks for publications of clients that crashed, and keeps others from removing them at the same time.',
      table: null,
    },
    ...abandoned.flatMap(({ digits }) => (digits === null ? [] : removals(digits))),
    {
      sql: inlineParameters(LOCK, [name.digits]),
      purpose: 'Shows others that this client lives, for as long as it is connected.',
      table: null,
    },
    ...creations(name, serverVersion),
  ]
}

function creations({ publications }: EphemeralName, serverVersion: number): readonly PlannedStatement[] {
  return inTransaction(
    (['all', 'inserts'] as const).map((kind) => ({
      sql: createPublication(publications[kind], kind, serverVersion),
      purpose: 'Makes an empty publication of this client’s own; the digits in its name are drawn at random each time.',
      table: null,
    })),
  )
}

function removals(digits: string): readonly PlannedStatement[] {
  return [
    {
      sql: removal(ephemeralName(digits)),
      purpose: 'Removes the publications of a client that crashed.',
      table: null,
    },
    {
      sql: inlineParameters(UNLOCK, [digits]),
      purpose: 'Ends what keeps others from removing them.',
      table: null,
    },
  ]
}

function removal({ publications }: CaptureName): string {
  return removePublications([publications.all, publications.inserts])
}

/** Removes two publications, if they are there. The error of a failure is `pg`'s. */
export async function dropPublications(control: ControlConnection, name: CaptureName): Promise<void> {
  await control.query(removal(name))
}

/** Removes what clients left that crashed. The error of a failure is `pg`'s. */
export async function removeAbandonedPublications(control: ControlConnection): Promise<void> {
  for (const { digits } of await control.query<'digits'>(LOCK_ABANDONED)) {
    if (digits === null) continue
    await dropPublications(control, ephemeralName(digits))
    await control.query(UNLOCK, [digits])
  }
}
