import type { CapabilityName } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from './conformance-case.ts'
import { conformanceCases } from './conformance-cases.ts'
import type { Refusal } from './refusal.ts'

/** What proves a cell of the manifest, whatever it says. */
export interface CapabilityProof {
  /** Run where the cell is not `false`. */
  readonly cases: readonly [ConformanceCase, ...ConformanceCase[]]
  /** Run where the cell is `false`; `null` where no option asks for the capability. */
  readonly refusal: Refusal | null
}

/** The cases of which this capability is a condition, or that check what the manifest says of it. */
function casesFor(name: CapabilityName): CapabilityProof['cases'] {
  const [first, ...rest] = conformanceCases.filter(
    ({ needs, proves }) => needs.includes(name) || proves?.includes(name) === true,
  )
  assert.ok(first !== undefined, `no conformance case proves ${name}`)
  return [first, ...rest]
}

/** Where the words stand for every type: the refusals are made as a program without types would make them. */
const untyped = (options: object): object => options

function conditionProof(name: CapabilityName, options: object): CapabilityProof {
  return { cases: casesFor(name), refusal: { kind: 'listen', options: untyped(options) } }
}

/**
 * What proves each cell of a manifest. Total by type: a new capability without its proof does not compile.
 */
export const CAPABILITY_PROOFS: Readonly<Record<CapabilityName, CapabilityProof>> = {
  'operations.insert': {
    cases: casesFor('operations.insert'),
    refusal: { kind: 'listen', options: { operations: ['insert'] } },
  },
  'operations.update': {
    cases: casesFor('operations.update'),
    refusal: { kind: 'listen', options: { operations: ['update'] } },
  },
  'operations.delete': {
    cases: casesFor('operations.delete'),
    refusal: { kind: 'listen', options: { operations: ['delete'] } },
  },
  'operations.truncate': {
    cases: casesFor('operations.truncate'),
    refusal: { kind: 'listen', options: { operations: ['truncate'] } },
  },
  'conditions.where': conditionProof('conditions.where', { where: { id: 1 } }),
  'conditions.eq': conditionProof('conditions.eq', { where: { id: { eq: 1 } } }),
  'conditions.neq': conditionProof('conditions.neq', { where: { id: { neq: 1 } } }),
  'conditions.lt': conditionProof('conditions.lt', { where: { id: { lt: 1 } } }),
  'conditions.lte': conditionProof('conditions.lte', { where: { id: { lte: 1 } } }),
  'conditions.gt': conditionProof('conditions.gt', { where: { id: { gt: 1 } } }),
  'conditions.gte': conditionProof('conditions.gte', { where: { id: { gte: 1 } } }),
  'conditions.in': conditionProof('conditions.in', { where: { id: { in: [1] } } }),
  'conditions.notIn': conditionProof('conditions.notIn', { where: { id: { notIn: [1] } } }),
  'conditions.isNull': conditionProof('conditions.isNull', { where: { id: null } }),
  'conditions.isNotNull': conditionProof('conditions.isNotNull', { where: { id: { isNull: false } } }),
  'conditions.like': conditionProof('conditions.like', { where: { id: { like: 'a' } } }),
  'conditions.notLike': conditionProof('conditions.notLike', { where: { id: { notLike: 'a' } } }),
  'conditions.ilike': conditionProof('conditions.ilike', { where: { id: { ilike: 'a' } } }),
  'conditions.notIlike': conditionProof('conditions.notIlike', { where: { id: { notIlike: 'a' } } }),
  'conditions.between': conditionProof('conditions.between', { where: { id: { between: [1, 2] } } }),
  'conditions.notBetween': conditionProof('conditions.notBetween', { where: { id: { notBetween: [1, 2] } } }),
  'conditions.isDistinctFrom': conditionProof('conditions.isDistinctFrom', { where: { id: { isDistinctFrom: 1 } } }),
  'conditions.isNotDistinctFrom': conditionProof('conditions.isNotDistinctFrom', {
    where: { id: { isNotDistinctFrom: 1 } },
  }),
  'conditions.boolean': conditionProof('conditions.boolean', {
    where: { kind: 'boolean', column: 'id', test: 'value' },
  }),
  'conditions.and': conditionProof('conditions.and', { where: { and: [{ id: 1 }, { id: 2 }] } }),
  'conditions.or': conditionProof('conditions.or', { where: { or: [{ id: 1 }, { id: 2 }] } }),
  'conditions.not': conditionProof('conditions.not', { where: { not: { id: 1 } } }),
  'columns.projection': {
    cases: casesFor('columns.projection'),
    refusal: { kind: 'listen', options: { columns: ['id'] } },
  },
  'columns.onlyChanged': { cases: casesFor('columns.onlyChanged'), refusal: null },
  'rows.old': { cases: casesFor('rows.old'), refusal: null },
  'rows.oldWithoutSetup': { cases: casesFor('rows.oldWithoutSetup'), refusal: null },
  'rows.unchangedLargeValues': { cases: casesFor('rows.unchangedLargeValues'), refusal: null },
  'keys.change': { cases: casesFor('keys.change'), refusal: null },
  'keys.declared': { cases: casesFor('keys.declared'), refusal: { kind: 'listen', options: { key: ['id'] } } },
  'transitions.exact': {
    cases: casesFor('transitions.exact'),
    refusal: { kind: 'listen', options: { transitions: 'exact' } },
  },
  'transitions.idempotent': {
    cases: casesFor('transitions.idempotent'),
    refusal: { kind: 'listen', options: { transitions: 'idempotent' } },
  },
  'order.row': { cases: casesFor('order.row'), refusal: null },
  'order.transaction': { cases: casesFor('order.transaction'), refusal: null },
  'order.commit': { cases: casesFor('order.commit'), refusal: null },
  'transactions.id': { cases: casesFor('transactions.id'), refusal: null },
  'transactions.commitTime': { cases: casesFor('transactions.commitTime'), refusal: null },
  'delivery.acknowledgement': { cases: casesFor('delivery.acknowledgement'), refusal: null },
  'delivery.subscription': {
    cases: casesFor('delivery.subscription'),
    refusal: { kind: 'connect', options: { subscription: 'conformance' } },
  },
  'delivery.reconnect': { cases: casesFor('delivery.reconnect'), refusal: null },
  'snapshot.initial': {
    cases: casesFor('snapshot.initial'),
    refusal: { kind: 'listen', options: untyped({ snapshot: 'initial' }) },
  },
  'messages.logical': {
    cases: casesFor('messages.logical'),
    refusal: { kind: 'connect', options: { messages: true } },
  },
  'listeners.attachWhileRunning': { cases: casesFor('listeners.attachWhileRunning'), refusal: null },
  'listeners.withoutRows': {
    cases: casesFor('listeners.withoutRows'),
    refusal: { kind: 'listen', options: untyped({ rows: false }) },
  },
}
