import type { PlannedStatement } from '@rowtap/core/driver'
import { inlineParameters } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { ephemeralName } from './ephemeral-name.ts'
import type { EphemeralName } from './ephemeral-name.ts'
import { createPublication, dropPublication, LOCK, LOCK_ABANDONED, UNLOCK } from './publication-sql.ts'

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
  await control.query(creations(name, serverVersion).join(';\n'))
}

/** The statements of {@link removeAbandonedPublications}, as far as they are known, and {@link createEphemeralPublications}. */
export function publicationStatements(name: EphemeralName, serverVersion: number): readonly PlannedStatement[] {
  return [
    {
      sql: LOCK_ABANDONED.trim(),
      purpose: 'Looks for publications of clients that crashed; each one that it finds is dropped.',
      table: null,
    },
    {
      sql: inlineParameters(LOCK, [name.digits]),
      purpose: 'Shows others that this client lives, for as long as it is connected.',
      table: null,
    },
    ...creations(name, serverVersion).map((sql) => ({
      sql,
      purpose: 'Makes an empty publication of this client’s own; the digits in its name are drawn at random each time.',
      table: null,
    })),
  ]
}

function creations(name: EphemeralName, serverVersion: number): readonly string[] {
  const { all, inserts } = name.publications
  return [createPublication(all, 'all', serverVersion), createPublication(inserts, 'inserts', serverVersion)]
}

/** Removes a client's publications, if they are there. The error of a failure is `pg`'s. */
export async function dropEphemeralPublications(control: ControlConnection, name: EphemeralName): Promise<void> {
  const { all, inserts } = name.publications
  await control.query(`${dropPublication(all)};\n${dropPublication(inserts)}`)
}

/** Removes what clients left that crashed. The error of a failure is `pg`'s. */
export async function removeAbandonedPublications(control: ControlConnection): Promise<void> {
  for (const { digits } of await control.query<'digits'>(LOCK_ABANDONED)) {
    if (digits === null) continue
    await dropEphemeralPublications(control, ephemeralName(digits))
    await control.query(UNLOCK, [digits])
  }
}
