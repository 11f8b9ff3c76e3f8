import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { CaptureName } from './capture-name.ts'
import { EXISTING_PUBLICATIONS } from './publication-sql.ts'

/**
 * A session cannot go on with publications that somebody has dropped, nor with others of their names: its slot does not see
 * what is younger. What becomes of that, the next link decides.
 */
export function publicationsDropped({ publications }: CaptureName): RowtapError {
  const names = [publications.all, publications.inserts].map(quoteIdentifier).join(' and ')
  return new RowtapError('ERR_POSITION_LOST', {
    message: `Of the publications ${names} somebody has dropped one, or both: what is written from then on is not sent.`,
    retryable: true,
  })
}

/** Whether both publications of a client are there. The error of a failure is `pg`'s. */
export async function arePublicationsThere(
  control: ControlConnection,
  { publications }: CaptureName,
): Promise<boolean> {
  const there = await control.query<'name'>(EXISTING_PUBLICATIONS, [publications.all, publications.inserts])
  return there.length === 2
}
