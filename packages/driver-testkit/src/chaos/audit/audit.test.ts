import { expect, test } from 'vitest'
import type { HandledEvent } from '../handled-event.ts'
import { identityOf, journalEvents } from '../handled-event.ts'
import type { JournalEntry, LedgerRow, TableRow } from '../ledger.ts'
import type { Remains } from './audit.ts'
import { auditLives, auditRemains } from './audit.ts'
import type { Life } from './handling.ts'

function row(serial: number, version: number, changed: Partial<LedgerRow> = {}): LedgerRow {
  return { id: serial, serial, version, amount: 100 * version, note: null, ...changed }
}

function entry(transaction: number, relation: string, before: LedgerRow | null, after: LedgerRow | null): JournalEntry {
  return { transaction: String(transaction), relation, before, after }
}

/** Two tables, six transactions: inserts, updates, a new key, deletes. */
const JOURNAL: readonly JournalEntry[] = [
  entry(11, 'chaos_accounts', null, row(1, 1)),
  entry(11, 'chaos_accounts', null, row(2, 1)),
  entry(11, 'chaos_ledger', null, row(3, 1)),
  entry(12, 'chaos_accounts', row(1, 1), row(1, 2)),
  entry(13, 'chaos_accounts', row(2, 1), row(2, 2, { id: 20 })),
  entry(13, 'chaos_ledger', row(3, 1), row(3, 2)),
  entry(14, 'chaos_accounts', row(1, 2), row(1, 3)),
  entry(14, 'chaos_accounts', row(2, 2, { id: 20 }), row(2, 3, { id: 20 })),
  entry(15, 'chaos_accounts', row(1, 3), null),
  entry(16, 'chaos_ledger', row(3, 2), null),
]
const ROWS: readonly TableRow[] = [{ relation: 'chaos_accounts', ...row(2, 3, { id: 20 }) }]

/** What is delivered of that: both halves of a new key have one position. */
const EVENTS: readonly HandledEvent[] = JOURNAL.flatMap((journalEntry, index) =>
  journalEvents(journalEntry).map((event) => ({
    ...event,
    id: `${index}${event.isHalf ? event.kind : ''}`,
    position: `${event.transaction}/${String(index).padStart(3, '0')}`,
    commitTime: `2030-01-01T00:00:${event.transaction}.000Z`,
  })),
)

/** Lives that handled these events, one after another. */
function lives(...handled: readonly (readonly HandledEvent[])[]): readonly Life[] {
  let order = 0
  return handled.map((events, index) => ({
    name: `life ${index + 1}`,
    handlings: events.map((event) => ({ event, order: order++ })),
  }))
}

function remains(handled: readonly Life[], more: Partial<Remains> = {}): Remains {
  return { lives: handled, journal: JOURNAL, rows: ROWS, samples: [], ...more }
}

function within(from: number, to: number): readonly HandledEvent[] {
  return EVENTS.slice(from, to)
}

test('a consumer that is never disturbed is given everything once', () => {
  expect(auditRemains(remains(lives(EVENTS), { samples: [{ acknowledged: '14/', handlings: 8 }] }))).toEqual([])
})

test('a consumer that is killed is given what was not acknowledged again', () => {
  expect(auditRemains(remains(lives(within(0, 6), [], within(3, 8), within(6, 11))))).toEqual([])
})

test('the listeners of two tables may be ahead of each other', () => {
  const accounts = EVENTS.filter(({ table }) => table === 'chaos_accounts')
  const ledger = EVENTS.filter(({ table }) => table === 'chaos_ledger')
  expect(auditRemains(remains(lives([...ledger, ...accounts])))).toEqual([])
})

test('a source that takes what is not handled for acknowledged is found', () => {
  // The source was asked when four events were handled: the transactions 11 and 12. It said that 13 was done, too.
  const samples = [{ acknowledged: '14/', handlings: 4 }]
  expect(auditRemains(remains(lives(within(0, 4), within(4, 11)), { samples }))).toEqual([
    expect.stringMatching(
      /^everything before 14\/ was acknowledged when 4 handlings were done, and update of chaos_ledger id 3, version 2 at 13\/005 was not handled yet/,
    ),
  ])
})

test('what was acknowledged too early and is lost by a crash is missing', () => {
  const violations = auditRemains(remains(lives(within(0, 4), within(7, 11))))
  expect(violations).toContainEqual(
    expect.stringMatching(/^missing: delete of chaos_accounts serial 2, version 1, of transaction 13/),
  )
  expect(violations.filter((violation) => violation.startsWith('missing'))).toHaveLength(3)
})

test('a transaction that is skipped after a reconnect is found, also where it comes later', () => {
  const skipping = [...within(0, 4), ...within(7, 11)]
  expect(auditLives(lives(skipping, within(4, 11)))).toEqual([
    expect.stringMatching(
      /^life 1 was given update of chaos_accounts serial 1, version 3 next: 2 changes are skipped, at first delete of chaos_accounts serial 2/,
    ),
    expect.stringMatching(
      /^life 1 was given delete of chaos_ledger id 3 next: 1 changes are skipped, at first update of chaos_ledger id 3, version 2/,
    ),
  ])
})

test('a life that begins after what was handled is found, also where the rest comes later', () => {
  expect(auditLives(lives(within(0, 4), within(7, 11), within(4, 11)))).toContainEqual(
    expect.stringMatching(
      /^life 2 was given update of chaos_accounts serial 1, version 3 first: 2 changes are skipped/,
    ),
  )
})

test('a change that is delivered again with another id is found', () => {
  const again = within(3, 8).map((event) => ({ ...event, id: `again ${event.id}` }))
  expect(auditLives(lives(within(0, 6), [...again, ...within(8, 11)]))).toContain(
    'life 2 was given update of chaos_accounts serial 1, version 2 with id again 3: the same change had id 3 before',
  )
})

test.each(['position', 'commitTime', 'transaction'] as const)(
  'a change that is delivered again with another %s is found',
  (field) => {
    const again = within(3, 11).map((event) => ({ ...event, [field]: `9${event[field]}` }))
    expect(auditLives(lives(within(0, 4), again))).toContainEqual(
      expect.stringMatching(/^life 2 was given id 3 with other content than before/),
    )
  },
)

test('one id for two changes is found', () => {
  const [first, second, ...rest] = EVENTS
  if (first === undefined || second === undefined) throw new Error('unreachable')
  expect(auditLives(lives([first, { ...second, id: first.id }, ...rest]))).toContain(
    `life 1 was given id ${first.id} with other content than before: ${identityOf(first)}, now ${identityOf(second)}`,
  )
})

test('a change that is delivered twice to one life is found', () => {
  expect(auditLives(lives([...within(0, 5), ...within(3, 11)]))).toContainEqual(
    expect.stringMatching(/^life 1 was given update of chaos_accounts serial 1, version 2 at 12\/003 after 13\/004/),
  )
})

test('a row whose changes are out of order is found', () => {
  const [before, after] = [EVENTS[3], EVENTS[7]]
  if (before === undefined || after === undefined) throw new Error('unreachable')
  const swapped = EVENTS.map((event) => {
    if (event === before) return { ...after, position: before.position, transaction: before.transaction }
    return event === after ? { ...before, position: after.position, transaction: after.transaction } : event
  })
  expect(auditLives(lives(swapped))).toContain('update of chaos_accounts serial 1, version 2 comes after version 3')
})

test('a transaction that is torn is found', () => {
  const torn = EVENTS.map((event) => (event.transaction === '15' ? { ...event, transaction: '12' } : event))
  expect(auditLives(lives(torn))).toEqual([
    'transaction 12 goes on at 15/008, after changes of another one of chaos_accounts',
  ])
})

test('a change that nobody made is found', () => {
  const [last] = EVENTS.slice(-1)
  if (last === undefined) throw new Error('unreachable')
  const invented: HandledEvent = {
    ...last,
    kind: 'insert',
    id: 'x',
    position: '17/000',
    key: 9,
    new: row(9, 1),
    old: null,
  }
  expect(auditRemains(remains(lives([...EVENTS, invented])))).toEqual([
    'invented: insert of chaos_ledger id 9, version 1, of transaction 16, with id x',
    expect.stringMatching(/and chaos_ledger has no such row$/),
  ])
})

test('a change with a wrong value is found', () => {
  const wrong = EVENTS.map((event) =>
    event.id === '3' && event.new !== null ? { ...event, new: { ...event.new, amount: 7 } } : event,
  )
  expect(auditRemains(remains(lives(wrong)))).toEqual([
    expect.stringMatching(/^update of chaos_accounts serial 1, version 2 is \{.*"amount":7.* and was \{/),
  ])
})
