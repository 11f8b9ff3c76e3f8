/** What a package needs that writes conditions in a form of its own: `@rowtap/core/conditions`. */
export { isConditionSource } from './conditions/condition-source.ts'
export type { ConditionSource } from './conditions/condition-source.ts'
export type {
  ArrayType,
  BaseType,
  Collation,
  ColumnType,
  CompositeType,
  ConditionColumn,
  EnumType,
  MultirangeType,
  RangeType,
} from './conditions/column-type.ts'
export type {
  AllCondition,
  AnyCondition,
  BooleanCondition,
  ComparisonCondition,
  ComparisonOperator,
  Condition,
  Constant,
  ConstantCondition,
  ConstantType,
  ListCondition,
  NotCondition,
  NullCondition,
  NumberType,
  RangeCondition,
} from './conditions/condition.ts'
export { withPlaces } from './conditions/condition-places.ts'
export type { ConditionPlaces } from './conditions/condition-places.ts'
export { pointingAt, textPlace } from './conditions/text-place.ts'
export type { TextPlace } from './conditions/text-place.ts'
export { conditionDepth, DEEPEST_CONDITION } from './conditions/condition-depth.ts'
export { displayWidth } from './conditions/display-width.ts'
export { valueKind } from './options/value-kind.ts'
export { constantOf } from './conditions/constant-of.ts'
