import fc from 'fast-check'
import type { ComparisonOperator, Condition, Constant, NumberType } from '../../conditions/condition.ts'
import type { ConditionColumn } from '../../conditions/column-type.ts'
import { isLikePattern } from '../../conditions/comparison/like.ts'
import type { ConditionOperator } from '../../conditions/operator.ts'
import { OPERATORS } from '../../conditions/operator.ts'
import { operatorSupport } from '../../conditions/operator-support.ts'
import type { TypeSample } from './type-samples.ts'

/** A column of a drawn table, with the sample that its values come from. */
export interface DrawnColumn extends ConditionColumn {
  readonly sample: TypeSample
}

/** Small, so that patterns match and texts meet. */
const characters = fc.constantFrom(
  'a',
  'b',
  'A',
  ' ',
  'é',
  'e\u0301',
  '😀',
  '\u{10000}',
  '\u{FFFF}',
  '\u{E000}',
  '%',
  '_',
  '\\',
  "'",
  'ß',
  'İ',
)
const anyText = fc.string({ unit: characters, maxLength: 6 })
const pattern = fc.string({ unit: fc.oneof(characters, fc.constantFrom('%', '_')), maxLength: 7 }).filter(isLikePattern)

const NUMBER_TYPES: readonly NumberType[] = ['int4', 'int8', 'numeric', 'float8']

/** A value of a type, in its input syntax: a sample, or one made at random. */
export function valueOf(sample: TypeSample): fc.Arbitrary<string> {
  const interesting = fc.constantFrom(...sample.values)
  const random = randomValue(sample.sql)
  return random === null
    ? interesting
    : fc.oneof({ weight: 3, arbitrary: interesting }, { weight: 1, arbitrary: random })
}

function randomValue(sql: string): fc.Arbitrary<string> | null {
  if (/^(?:text|varchar|bpchar)(?: COLLATE .*)?$/u.test(sql)) return anyText
  switch (sql) {
    case 'int2':
      return fc.integer({ min: -32_768, max: 32_767 }).map(String)
    case 'int4':
      return fc.integer().map(String)
    case 'int8':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)
    case 'numeric':
      return fc.tuple(fc.bigInt(), fc.nat(40)).map(([digits, scale]) => `${digits}e-${scale}`)
    case 'float4':
      return fc.float().map(String)
    case 'float8':
      return fc.double().map(String)
    case 'timestamp':
    case 'timestamptz':
      return fc
        .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString())
    case 'interval':
      return fc
        .tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -99, max: 99 }), fc.integer())
        .map(([months, days, milliseconds]) => `${months} mons ${days} days ${milliseconds} milliseconds`)
    case 'inet':
      return fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(32)).map(([address, length]) => `${address}/${length}`)
    default:
      return null
  }
}

/** A condition of any depth on these columns, of what is evaluated in the process. */
export function conditionOn(columns: readonly DrawnColumn[]): fc.Arbitrary<Condition> {
  const leaf = fc.constantFrom(...columns).chain(leafOn)
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 4, arbitrary: leaf },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('not' as const), condition: tie('condition') }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          conditions: fc.array(tie('condition'), { maxLength: 4 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('constant' as const), value: fc.constantFrom(true, false, null) }),
      },
    ),
  }))
  return condition
}

function leafOn(column: DrawnColumn): fc.Arbitrary<Condition> {
  const operators = Object.keys(OPERATORS) as ConditionOperator[]
  const possible = operators.filter((operator) => operatorSupport(column.type, operator).where === 'process')
  return fc.constantFrom(...possible).chain((operator) => conditionWith(column, operator))
}

function conditionWith(column: DrawnColumn, operator: ConditionOperator): fc.Arbitrary<Condition> {
  const { name } = column
  const constant = constantFor(column, operator)
  switch (operator) {
    case 'is null':
    case 'is not null':
      return fc.constant({ kind: 'null', column: name, negated: operator === 'is not null' })
    case 'boolean':
      return fc.record({
        kind: fc.constant('boolean' as const),
        column: fc.constant(name),
        test: fc.constantFrom(
          'value',
          'is true',
          'is not true',
          'is false',
          'is not false',
          'is unknown',
          'is not unknown',
        ),
      })
    case 'in':
    case 'not in':
      return fc
        .array(constant, { maxLength: 6 })
        .map((constants) => ({ kind: 'in', column: name, negated: operator === 'not in', constants }))
    case 'between':
    case 'not between':
      return fc
        .tuple(constant, constant)
        .map(([low, high]) => ({ kind: 'between', column: name, negated: operator === 'not between', low, high }))
    default:
      return constant.map((one) => ({
        kind: 'compare',
        column: name,
        operator: operator satisfies ComparisonOperator,
        constant: one,
      }))
  }
}

function constantFor(column: DrawnColumn, operator: ConditionOperator): fc.Arbitrary<Constant> {
  const { class: operatorClass } = OPERATORS[operator]
  const like = operatorClass === 'like' || operatorClass === 'ilike'
  const choices: fc.WeightedArbitrary<Constant>[] = [
    { weight: 8, arbitrary: (like ? pattern : valueOf(column.sample)).map((text) => ({ text, type: null })) },
    { weight: 1, arbitrary: fc.constant({ text: null, type: null }) },
  ]
  const numbers = like ? [] : numbersFor(column, operator)
  if (numbers.length > 0) choices.push({ weight: 4, arbitrary: fc.constantFrom(...numbers) })
  return fc.oneof(...choices)
}

/** Numbers that have a type of their own, of every type that can hold them and be compared with the column. */
function numbersFor(column: DrawnColumn, operator: ConditionOperator): readonly Constant[] {
  return (column.sample.numbers ?? []).flatMap((text) =>
    NUMBER_TYPES.filter(
      (type) => fits(text, type, column) && operatorSupport(column.type, operator, type).where === 'process',
    ).map((type) => ({ text, type })),
  )
}

function fits(text: string, type: NumberType, column: DrawnColumn): boolean {
  const isOid = column.type.kind === 'base' && column.type.name === 'oid'
  switch (type) {
    case 'int4':
      return /^-?\d{1,9}$/u.test(text)
    case 'int8':
      return isOid ? /^\d{1,10}$/u.test(text) : /^-?\d{1,19}$/u.test(text)
    case 'numeric':
      return true
    case 'float8':
      return text.length < 300
  }
}
