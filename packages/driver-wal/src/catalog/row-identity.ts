import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { oldColumns } from './old-columns.ts'
import type { TableFacts } from './table-facts.ts'

/** What identifies the rows of one shape of a table. */
export interface RowIdentity {
  /** The columns that changes have, in the server's order. */
  readonly sent: readonly string[]
  readonly primaryKey: readonly string[]
  readonly old: 'all' | readonly string[]
  readonly isPartitioned: boolean
}

/** The identity of a table's rows as the catalogue has it now. */
export function identityOfTable(facts: TableFacts): RowIdentity {
  return {
    sent: facts.columns.filter((column) => column.isSent).map((column) => column.name),
    primaryKey: facts.primaryKey,
    old: oldColumns(facts),
    isPartitioned: facts.kind === 'p',
  }
}

/**
 * The identity of a shape that the stream announces.
 *
 * Since the change was made, the table may have got other columns, another key or none, or have been dropped. So the
 * message is asked first; the catalogue (`now`) and what was known last, for what the message does not tell.
 */
export function identityOfMessage(
  message: RelationMessage,
  now: RowIdentity | null,
  last: RowIdentity | null,
): RowIdentity {
  const sent = message.columns.map((column) => column.name)
  const flagged = message.columns.filter((column) => column.isIdentity).map((column) => column.name)
  const known = [now, last].flatMap((identity) => (identity === null ? [] : [inShape(identity, sent)]))
  const isPartitioned = (now ?? last)?.isPartitioned ?? false
  return {
    sent,
    primaryKey: primaryKeyOf(message, flagged, known),
    old: oldOf(message, flagged, known, isPartitioned),
    isPartitioned,
  }
}

/** What an identity is called in another shape of the same table. */
interface Translated {
  readonly primaryKey: readonly string[]
  readonly old: 'all' | readonly string[]
}

function inShape(identity: RowIdentity, sent: readonly string[]): Translated {
  const translate = (names: readonly string[]): readonly string[] => {
    if (names.every((name) => sent.includes(name))) return names
    // A column that was given another name has kept its place. Where others came or went, nothing is known.
    if (identity.sent.length !== sent.length) return []
    return names.flatMap((name) => sent[identity.sent.indexOf(name)] ?? [])
  }
  return {
    primaryKey: translate(identity.primaryKey),
    old: identity.old === 'all' ? 'all' : translate(identity.old),
  }
}

function primaryKeyOf(
  message: RelationMessage,
  flagged: readonly string[],
  known: readonly Translated[],
): readonly string[] {
  const keys = known.map(({ primaryKey }) => primaryKey).filter((key) => key.length > 0)
  // With the default identity the message marks the primary key, but does not tell its order.
  if (message.replicaIdentity === 'd' && flagged.length > 0) {
    return keys.find((key) => key.length === flagged.length && key.every((name) => flagged.includes(name))) ?? flagged
  }
  if (known.length === 0 && message.replicaIdentity === 'i') return flagged
  return keys[0] ?? []
}

function oldOf(
  message: RelationMessage,
  flagged: readonly string[],
  known: readonly Translated[],
  isPartitioned: boolean,
): 'all' | readonly string[] {
  const lastKnown = known.map(({ old }) => old).find((old) => old.length > 0)
  // What a partition sends is the partition's own setting, of which the message for the whole table says nothing.
  if (isPartitioned) return lastKnown ?? flagged
  if (message.replicaIdentity === 'f') return 'all'
  if (flagged.length > 0) return flagged
  // Without identity there are no updates and deletes, and listeners go on as they are.
  return lastKnown ?? []
}
