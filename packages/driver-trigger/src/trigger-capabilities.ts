import type { Capabilities, EveryCondition } from '@rowtap/core/driver'
import { CONDITIONS_IN_PROCESS } from '@rowtap/core/driver'

/** The type of {@link triggerCapabilities}: every cell is known at compile time. */
export type TriggerCapabilities = {
  readonly driver: 'trigger'
  readonly operations: {
    readonly insert: 'database'
    readonly update: 'database'
    readonly delete: 'database'
    readonly truncate: 'database'
  }
  readonly conditions: EveryCondition<'process'>
  readonly columns: { readonly projection: 'process'; readonly onlyChanged: 'process' }
  readonly rows: {
    readonly old: 'database'
    readonly oldWithoutSetup: 'database'
    readonly unchangedLargeValues: 'database'
  }
  readonly keys: { readonly change: 'process'; readonly declared: 'process' }
  readonly transitions: { readonly exact: 'process'; readonly idempotent: 'process' }
  readonly order: { readonly row: 'database'; readonly transaction: 'database'; readonly commit: false }
  readonly transactions: { readonly id: 'database'; readonly commitTime: false }
  readonly delivery: {
    readonly acknowledgement: 'database'
    readonly subscription: 'database'
    readonly reconnect: 'process'
  }
  readonly listeners: { readonly attachWhileRunning: 'database'; readonly withoutRows: 'database' }
  readonly snapshot: { readonly initial: 'database' }
  readonly messages: { readonly logical: false }
}

/** What the trigger driver can do. */
export const triggerCapabilities: TriggerCapabilities & Capabilities = deepFreeze<TriggerCapabilities>({
  driver: 'trigger',
  operations: { insert: 'database', update: 'database', delete: 'database', truncate: 'database' },
  conditions: CONDITIONS_IN_PROCESS,
  columns: { projection: 'process', onlyChanged: 'process' },
  rows: { old: 'database', oldWithoutSetup: 'database', unchangedLargeValues: 'database' },
  keys: { change: 'process', declared: 'process' },
  transitions: { exact: 'process', idempotent: 'process' },
  order: { row: 'database', transaction: 'database', commit: false },
  transactions: { id: 'database', commitTime: false },
  delivery: { acknowledgement: 'database', subscription: 'database', reconnect: 'process' },
  listeners: { attachWhileRunning: 'database', withoutRows: 'database' },
  snapshot: { initial: 'database' },
  messages: { logical: false },
})

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member)
  return Object.freeze(value)
}
