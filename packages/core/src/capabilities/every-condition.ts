import type { Capabilities, Cell } from './capabilities.ts'

/** The manifest's `conditions` with the same in every cell. */
export type EveryCondition<Value extends Cell> = { readonly [K in keyof Capabilities['conditions']]: Value }

/** For drivers: the manifest's `conditions` where core evaluates every operator. */
export const CONDITIONS_IN_PROCESS: EveryCondition<'process'> = {
  where: 'process',
  eq: 'process',
  neq: 'process',
  lt: 'process',
  lte: 'process',
  gt: 'process',
  gte: 'process',
  in: 'process',
  notIn: 'process',
  isNull: 'process',
  isNotNull: 'process',
  like: 'process',
  notLike: 'process',
  ilike: 'process',
  notIlike: 'process',
  between: 'process',
  notBetween: 'process',
  isDistinctFrom: 'process',
  isNotDistinctFrom: 'process',
  boolean: 'process',
  and: 'process',
  or: 'process',
  not: 'process',
}

/** For drivers: the manifest's `conditions` where there are none. */
export const NO_CONDITIONS: EveryCondition<false> = {
  where: false,
  eq: false,
  neq: false,
  lt: false,
  lte: false,
  gt: false,
  gte: false,
  in: false,
  notIn: false,
  isNull: false,
  isNotNull: false,
  like: false,
  notLike: false,
  ilike: false,
  notIlike: false,
  between: false,
  notBetween: false,
  isDistinctFrom: false,
  isNotDistinctFrom: false,
  boolean: false,
  and: false,
  or: false,
  not: false,
}
