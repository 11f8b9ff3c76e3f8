import type { Capabilities, Change, ChangeBatch, Driver, DriverSession, Position } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'

/** A driver with other sessions. */
export function withSession(driver: Driver, replace: (session: DriverSession) => Partial<DriverSession>): Driver {
  return {
    specification: driver.specification,
    name: driver.name,
    capabilities: driver.capabilities,
    async open(host) {
      const session = await driver.open(host)
      return {
        describe: (table) => session.describe(table),
        normalise: (constants) => session.normalise(constants),
        plan: (requests) => session.plan(requests),
        capture: (requests) => session.capture(requests),
        batches: () => session.batches(),
        acknowledge: (upTo) => session.acknowledge(upTo),
        close: () => session.close(),
        ...replace(session),
      }
    },
  }
}

/** A driver whose every batch of changes is replaced. `start` is called for each session: what it returns may remember. */
export function withChanges(driver: Driver, start: () => (changes: readonly Change[]) => readonly Change[]): Driver {
  return withSession(driver, (session) => {
    const replace = start()
    return {
      async *batches(): AsyncIterable<ChangeBatch> {
        for await (const batch of session.batches()) yield { bytes: batch.bytes, changes: replace(batch.changes) }
      },
    }
  })
}

/** A driver with another manifest. */
export function withCapabilities(driver: Driver, capabilities: Capabilities): Driver {
  return {
    specification: driver.specification,
    name: driver.name,
    capabilities,
    open: (host) => driver.open(host),
  }
}

/** A change with something else in it. Written out: a driver's changes may be objects with getters. */
export function altered(change: Change, other: Partial<Change>): Change {
  const { kind, relation, new: after, old, withoutRows, transaction, id, position: at } = change
  const rows = withoutRows === true ? { new: null, old: null, withoutRows } : { new: after, old }
  return { kind, relation, ...rows, transaction, id, position: at, ...other }
}

/** A position right after another one, before any that the driver makes. */
export function positionAfter(earlier: Position): Position {
  return position(`${earlier}~`)
}

/** The text of a column of a change's new row. */
export function newText(change: Change, column: string): string | null | undefined {
  const index = change.relation.columns.findIndex(({ name }) => name === column)
  return index < 0 ? undefined : change.new?.text(index)
}
