import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BaseType } from '../conditions/column-type.ts'
import type { Change } from '../contract/driver.ts'
import { position } from '../contract/position.ts'
import type { Relation } from '../contract/relation.ts'
import type { QueuedChange } from '../delivery/queued-change.ts'
import { TableListener } from '../delivery/table-listener.ts'
import { TableCounters } from '../metrics/table-counters.ts'
import { listenRequest } from '../options/listen-request.ts'
import type { Values } from '../testing/scripted-driver.ts'
import { SCRIPTED_CAPABILITIES, TEXT, textRelation } from '../testing/scripted-driver.ts'
import { bindListener } from './binding.ts'
import type { ListenerCondition } from './listener-condition.ts'
import { listenerCondition } from './listener-condition.ts'
import { RoutedChange } from './routed-change.ts'
import { EVERY_ROW, RowCondition } from './row-condition.ts'
import { TableRoute } from './table-route.ts'
import type { Transition } from './transition-of.ts'
import { transitionOf } from './transition-of.ts'

const INTEGER: BaseType = {
  ...TEXT,
  name: 'int4',
  castName: '"pg_catalog"."int4"',
  displayName: 'integer',
  collation: null,
}

function table(oldColumns: Relation['oldColumns'], names: readonly string[] = ['id', 'n', 's']): Relation {
  const relation = textRelation('t', names, { oldColumns })
  const typed = relation.columns.map((column) => ({
    ...column,
    type: column.name === 's' ? TEXT : INTEGER,
    mayBeUnavailable: false,
  }))
  return { ...relation, columns: typed }
}

/** Says of each change what it was offered as. */
class Recorder extends TableListener {
  offered: Transition | null = null

  override offer(item: QueuedChange): boolean {
    this.offered = item.transition
    return true
  }
}

const OWNER = {
  client: null,
  times: null,
  isDurable: false,
  done: () => undefined,
  roomMade: () => undefined,
  failed: () => undefined,
  passedOver: () => undefined,
  detach: () => Promise.resolve(),
}

interface Wish {
  readonly where: object | undefined
  readonly operations: readonly string[]
  readonly columns: readonly string[] | undefined
  readonly stays: boolean
}

const number = fc.integer({ min: 0, max: 6 })
const word = fc.constantFrom('a', 'b', 'c')
const leaf: fc.Arbitrary<object> = fc.oneof(
  number.map((n) => ({ n })),
  fc.array(number, { maxLength: 3 }).map((list) => ({ n: { in: list } })),
  fc.tuple(number, number).map(([low, high]) => ({ n: { between: [low, high] } })),
  fc.tuple(number, number).map(([low, high]) => ({ n: { gt: low, lte: high } })),
  number.map((n) => ({ n: { lt: n } })),
  fc.tuple(number, number, word).map(([low, high, s]) => ({ n: { gte: low, lt: high }, s })),
  fc
    .tuple(number, number, number)
    .map(([low, other, high]) => ({ and: [{ n: { gt: low } }, { n: { gte: other, lte: high } }] })),
  fc.tuple(number, word).map(([n, s]) => ({ n, s })),
  fc.tuple(number, word).map(([n, s]) => ({ s, n: { gte: n } })),
  word.map((s) => ({ s })),
  word.map((s) => ({ s: { notIn: [s] } })),
  fc.constant({ n: null }),
  fc.tuple(number, number).map(([n, id]) => ({ n, id })),
)
const where: fc.Arbitrary<object> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  leaf.map((one) => ({ not: one })),
  fc.tuple(leaf, leaf).map(([one, other]) => ({ or: [one, other] })),
  fc.tuple(leaf, leaf).map(([one, other]) => ({ and: [one, other] })),
)
const wish: fc.Arbitrary<Wish> = fc.record({
  where: fc.option(where, { nil: undefined, freq: 6 }),
  operations: fc.subarray(['insert', 'update', 'delete', 'truncate'], { minLength: 1 }),
  columns: fc.option(fc.constant(['s']), { nil: undefined }),
  stays: fc.boolean(),
})
const row = fc.tuple(number.map(String), fc.option(number.map(String)), fc.option(word))
const change = fc.record({
  kind: fc.constantFrom('insert', 'update', 'delete', 'truncate'),
  before: row,
  after: row,
  swapped: fc.boolean(),
})

test.each([
  ['few', { maxLength: 25 }, 300],
  // More than the index looks at one by one.
  ['many', { minLength: 70, maxLength: 120 }, 60],
])('of %s listeners a change reaches exactly those that want it, as if each were asked', async (_, length, numRuns) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Relation['oldColumns']>('all', [0], [0, 1]),
      fc.array(wish, length),
      fc.array(change, { minLength: 1, maxLength: 12 }),
      async (oldColumns, wishes, changes) => {
        const relation = table(oldColumns)
        // The same table with its columns in another order, as in a partition.
        const other = table(oldColumns === 'all' ? 'all' : oldColumns.map((index) => [0, 2, 1][index] ?? 0), [
          'id',
          's',
          'n',
        ])
        const route = new TableRoute(new TableCounters({ schema: 'public', name: 't' }))
        const listening = await attach(route, relation, wishes)
        for (const [at, one] of changes.entries()) {
          const routed = routedChange(one, one.swapped ? other : relation, at)
          const takers = new Set<TableListener>()
          for (const { listener } of listening) listener.offered = null
          route.route(routed, takers)
          for (const { listener, condition } of listening) {
            const expected = asked(listener, condition, routed)
            expect(listener.offered).toBe(expected)
            expect(takers.has(listener)).toBe(expected !== null)
          }
          expect(routed.takers).toBe(takers.size)
        }
      },
    ),
    { numRuns },
  )
})

interface Listening {
  readonly listener: Recorder
  readonly condition: ListenerCondition | null
}

/** Attaches all, and detaches those that do not stay. */
async function attach(route: TableRoute, relation: Relation, wishes: readonly Wish[]): Promise<readonly Listening[]> {
  const listening: Listening[] = []
  for (const { where: wanted, operations, columns, stays } of wishes) {
    const options = { table: 't', transitions: 'idempotent', operations, columns }
    const request = listenRequest(SCRIPTED_CAPABILITIES, wanted === undefined ? options : { ...options, where: wanted })
    const condition = await listenerCondition(request.where, relation, SCRIPTED_CAPABILITIES, (constants) =>
      Promise.resolve(constants.map(({ text }) => ({ text }))),
    )
    const listener = new Recorder(request, OWNER)
    route.add(listener, condition, bindListener(relation, request, condition))
    if (stays) listening.push({ listener, condition })
    else route.remove(listener)
  }
  return listening
}

/** What the change is for one listener, found without an index. */
function asked({ request }: Recorder, condition: ListenerCondition | null, routed: RoutedChange): Transition | null {
  const { change: made } = routed
  if (!request.operations.has(made.kind)) return null
  const bound = bindListener(made.relation, request, condition)
  const tested = bound.condition === null || made.kind === 'truncate' ? null : new RowCondition(bound.condition)
  return transitionOf(routed, bound.projection, tested?.truthOf(routed) ?? EVERY_ROW)
}

function routedChange(
  one: { readonly kind: Change['kind']; readonly before: Values; readonly after: Values },
  relation: Relation,
  at: number,
): RoutedChange {
  const order = relation.columns.map(({ name }) => ['id', 'n', 's'].indexOf(name))
  const { oldColumns } = relation
  const after = order.map((index) => one.after[index])
  const before = order.map((index, column) =>
    oldColumns === 'all' || oldColumns.includes(column) ? one.before[index] : undefined,
  )
  // An update comes without an old row where nothing of it changed.
  const isSame = before.every((text, column) => text === undefined || text === after[column])
  const hasOld = one.kind === 'delete' || (one.kind === 'update' && (oldColumns === 'all' || !isSame))
  const made: Change = {
    kind: one.kind,
    relation,
    new: one.kind === 'insert' || one.kind === 'update' ? { text: (index) => after[index] } : null,
    old: hasOld ? { text: (index) => before[index] } : null,
    transaction: { id: '1', commitTime: null },
    id: String(at),
    position: position(String(at)),
  }
  return new RoutedChange(made, { pending: 0, last: made.position }, 0)
}
