import { randomBytes } from 'node:crypto'
import type { CaptureName } from './capture-name.ts'

/**
 * The names that an ephemeral client uses in the database, all made from one random number. The number is also
 * the key of an advisory lock that the client holds while it lives: see {@link EPHEMERAL_PUBLICATION}.
 */
export interface EphemeralName extends CaptureName {
  /** Sixteen hexadecimal digits. */
  readonly digits: string
}

/** What the publications of ephemeral clients are called, as a regular expression of PostgreSQL. */
export const EPHEMERAL_PUBLICATION = '^rowtap_e_([0-9a-f]{16})_(all|inserts)$'

/** A name that nobody else has. */
export function ephemeralName(digits: string = randomBytes(8).toString('hex')): EphemeralName {
  const slot = `rowtap_e_${digits}`
  return { digits, slot, publications: { all: `${slot}_all`, inserts: `${slot}_inserts` } }
}
