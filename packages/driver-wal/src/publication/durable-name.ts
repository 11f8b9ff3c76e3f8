import type { CaptureName } from './capture-name.ts'

/** The names that a durable subscription uses, the same whenever it runs. */
export interface DurableName extends CaptureName {
  readonly subscription: string
}

/**
 * The names of a subscription: 1 to 40 lower-case letters, digits and underscores.
 *
 * @param databaseOid is in the slot's name, because slots are of the whole server: two databases may have
 *   subscriptions of one name.
 */
export function durableName(subscription: string, databaseOid: number): DurableName {
  const prefix = `rowtap_s_${subscription}`
  return {
    subscription,
    slot: `rowtap_s_${databaseOid}_${subscription}`,
    publications: { all: `${prefix}_all`, inserts: `${prefix}_inserts` },
  }
}
