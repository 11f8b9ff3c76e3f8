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
  const { all, inserts } = name.publications
  await control.query(
    `${createPublication(all, 'all', serverVersion)};\n${createPublication(inserts, 'inserts', serverVersion)}`,
  )
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
