/** Whom something of ours in the database is for. */
export type WalOwner =
  | { readonly kind: 'subscription'; readonly subscription: string }
  | {
      /** A client without a subscription. */
      readonly kind: 'ephemeral'
      /** Sixteen hexadecimal digits: the key of the advisory lock that the client holds while it lives. */
      readonly digits: string
    }

/** What slots of ours are called, as a regular expression of PostgreSQL: those that `ownerOfSlot` may know. */
export const OWN_SLOTS = '^rowtap_(s_[0-9]+_[a-z0-9_]+|e_[0-9a-f]{16})$'

/** What publications of ours are called, likewise. */
export const OWN_PUBLICATIONS = '^rowtap_(s_.+|e_[0-9a-f]{16})_(all|inserts)$'

/** Whose slot it is, by its name; `null` for one that is none of ours. */
export function ownerOfSlot(name: string): WalOwner | null {
  const subscription = /^rowtap_s_[0-9]+_([a-z0-9_]+)$/.exec(name)?.[1]
  return subscription === undefined ? ephemeral(/^rowtap_e_([0-9a-f]{16})$/.exec(name)?.[1]) : durable(subscription)
}

/** Whose publication it is, by its name; `null` for one that is none of ours. */
export function ownerOfPublication(name: string): WalOwner | null {
  const subscription = /^rowtap_s_(.+)_(?:all|inserts)$/.exec(name)?.[1]
  return subscription === undefined
    ? ephemeral(/^rowtap_e_([0-9a-f]{16})_(?:all|inserts)$/.exec(name)?.[1])
    : durable(subscription)
}

/** Whether two owners are the same. */
export function isSameOwner(one: WalOwner, other: WalOwner): boolean {
  if (one.kind === 'subscription') return other.kind === 'subscription' && one.subscription === other.subscription
  return other.kind === 'ephemeral' && one.digits === other.digits
}

function durable(subscription: string): WalOwner {
  return { kind: 'subscription', subscription }
}

function ephemeral(digits: string | undefined): WalOwner | null {
  return digits === undefined ? null : { kind: 'ephemeral', digits }
}
