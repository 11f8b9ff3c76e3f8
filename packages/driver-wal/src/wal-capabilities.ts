import type { Capabilities, EveryCondition } from '@rowtap/core/driver'
import { CONDITIONS_IN_PROCESS } from '@rowtap/core/driver'

/** The manifest's type: each cell as a literal, so that an option which needs a `false` one does not compile. */
export interface WalCapabilities extends Capabilities {
  readonly driver: 'wal'
  readonly operations: {
    readonly insert: 'database'
    readonly update: 'database'
    readonly delete: 'database'
    readonly truncate: 'database'
  }
  readonly conditions: EveryCondition<'process'>
  readonly columns: { readonly projection: 'process'; readonly onlyChanged: 'process' }
  readonly rows: { readonly old: 'database'; readonly oldWithoutSetup: false; readonly unchangedLargeValues: false }
  readonly keys: { readonly change: 'process'; readonly declared: 'process' }
  readonly transitions: { readonly exact: 'process'; readonly idempotent: 'process' }
  readonly order: { readonly row: 'database'; readonly transaction: 'database'; readonly commit: 'database' }
  readonly transactions: { readonly id: 'database'; readonly commitTime: 'database' }
  readonly delivery: {
    readonly acknowledgement: 'database'
    readonly subscription: 'database'
    readonly reconnect: 'process'
  }
  readonly listeners: { readonly attachWhileRunning: 'database'; readonly withoutRows: 'process' }
  readonly snapshot: { readonly initial: 'database' }
  readonly messages: { readonly logical: 'database' }
}

/** What the driver can do: its manifest. */
export const walCapabilities: WalCapabilities = Object.freeze({
  driver: 'wal',
  operations: Object.freeze({ insert: 'database', update: 'database', delete: 'database', truncate: 'database' }),
  conditions: Object.freeze(CONDITIONS_IN_PROCESS),
  columns: Object.freeze({ projection: 'process', onlyChanged: 'process' }),
  rows: Object.freeze({ old: 'database', oldWithoutSetup: false, unchangedLargeValues: false }),
  keys: Object.freeze({ change: 'process', declared: 'process' }),
  transitions: Object.freeze({ exact: 'process', idempotent: 'process' }),
  order: Object.freeze({ row: 'database', transaction: 'database', commit: 'database' }),
  transactions: Object.freeze({ id: 'database', commitTime: 'database' }),
  delivery: Object.freeze({ acknowledgement: 'database', subscription: 'database', reconnect: 'process' }),
  listeners: Object.freeze({ attachWhileRunning: 'database', withoutRows: 'process' }),
  snapshot: Object.freeze({ initial: 'database' }),
  messages: Object.freeze({ logical: 'database' }),
})
