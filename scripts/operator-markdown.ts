import type {
  BaseType,
  Collation,
  ColumnType,
  CompositeType,
  RangeType,
} from '../packages/core/src/conditions/column-type.ts'
import type { ConditionOperator, OperatorClass } from '../packages/core/src/conditions/operator.ts'
import { OPERATORS } from '../packages/core/src/conditions/operator.ts'
import { KNOWN_BASE_TYPES, operatorSupport } from '../packages/core/src/conditions/operator-support.ts'

/** A row of the table before rows with the same answers become one. */
interface TypeLine {
  readonly label: string
  /** Under which collation, where that matters. */
  readonly where: string | null
  readonly type: ColumnType
}

/** The operators that need the same of a type, with a heading. */
const CLASSES: Readonly<Record<OperatorClass, string>> = {
  equality: 'equality',
  inequality: 'inequality',
  order: 'order',
  like: '`LIKE`',
  ilike: '`ILIKE`',
  null: '`IS NULL`',
  boolean: 'by itself',
}

/** What stands in a reason where a message names the type: one reason serves several types. */
const NAME = 'in question'

const COLLATIONS: readonly (readonly [where: string, collation: Collation])[] = [
  ['under `"C"`, `"POSIX"`', { name: 'of the column', order: 'code point', asciiCase: true }],
  ['under another order by code point (`pg_c_utf8`)', { name: 'of the column', order: 'code point', asciiCase: false }],
  ['under a locale (most databases’ default)', { name: 'of the column', order: 'locale', asciiCase: false }],
  ['under a nondeterministic collation', { name: 'of the column', order: 'nondeterministic', asciiCase: false }],
  ['in a database that is not in UTF8', { name: 'of the column', order: 'encoding', asciiCase: false }],
]

/** Types that follow the database's default collation, which is never nondeterministic. */
const BY_DATABASE: readonly string[] = ['citext', 'jsonb']

/** How SQL names base types; the others are named as in pg_type. */
const SQL_NAMES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  char: '"char"',
  bpchar: 'char(n)',
}

/** The table of operators by type and where they are evaluated, as Markdown: what core's `operatorSupport` says. */
export function operatorMarkdown(): string {
  const reasons: string[] = []
  const alike = grouped(typeLines(), ({ type }) =>
    classes()
      .map((operatorClass) => cell(type, operatorClass, reasons))
      .join(' | '),
  )
  return [
    ...classes().map((operatorClass) => `- **${CLASSES[operatorClass]}**: ${operatorNames(operatorClass)}`),
    '',
    `| type | ${classes()
      .map((operatorClass) => CLASSES[operatorClass])
      .join(' | ')} |`,
    `| --- |${' --- |'.repeat(classes().length)}`,
    ...[...alike].map(([cells, lines]) => `| ${labelsOf(lines)} | ${cells} |`),
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
  ].join('\n')
}

function cell(type: ColumnType, operatorClass: OperatorClass, reasons: string[]): string {
  const answers = operatorsOf(operatorClass).map((operator) => operatorSupport(type, operator))
  const [answer] = answers
  if (answer === undefined || answers.some(({ where }) => where !== answer.where))
    throw new Error(`The operators of the class ${operatorClass} differ in where they are evaluated.`)
  if (answer.where === 'process') return 'process'
  if (answer.where === false) return '–'
  if (!reasons.includes(answer.reason)) reasons.push(answer.reason)
  return `refused (${reasons.indexOf(answer.reason) + 1})`
}

function typeLines(): readonly TypeLine[] {
  const plain = KNOWN_BASE_TYPES.filter((name) => !dependsOnCollation(name))
  const texts = KNOWN_BASE_TYPES.filter(dependsOnCollation)
  return [
    ...plain.map((name): TypeLine => ({ label: labelOf(name), where: null, type: base(name, null) })),
    { label: 'enumerations', where: null, type: { kind: 'enum', labels: [], labelIds: [], ...named() } },
    { label: 'arrays', where: null, type: { kind: 'array', element: base('int4', null), ...named() } },
    { label: 'ranges', where: null, type: range },
    { label: 'multiranges', where: null, type: { kind: 'multirange', range, ...named() } },
    { label: 'row types', where: null, type: pair },
    { label: 'arrays of row types', where: null, type: { kind: 'array', element: pair, ...named() } },
    { label: 'types of extensions, other than `citext`', where: null, type: base('extension.type', null) },
    ...COLLATIONS.flatMap(([where, collation]) =>
      texts
        .filter((name) => collation.order !== 'nondeterministic' || !BY_DATABASE.includes(name))
        .map((name): TypeLine => ({ label: labelOf(name), where, type: base(name, collation) })),
    ),
  ]
}

/** `a, b under X`, and `c under X, under Y`: types under one collation are told once, and collations of one type. */
function labelsOf(lines: readonly TypeLine[]): string {
  const types = grouped(lines, ({ label }) =>
    lines
      .filter((line) => line.label === label)
      .flatMap(({ where }) => where ?? [])
      .join(', '),
  )
  return [...types]
    .map(([where, alike]) => `${[...new Set(alike.map(({ label }) => label))].join(', ')} ${where}`.trimEnd())
    .join('; ')
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return groups
}

/** Whether the collation, or the encoding, decides about one of the type's operators. */
function dependsOnCollation(name: string): boolean {
  const answers = COLLATIONS.map(([, collation]) =>
    JSON.stringify(operators().map((operator) => operatorSupport(base(name, collation), operator).where)),
  )
  return new Set(answers).size > 1
}

const range: RangeType = { kind: 'range', subtype: base('int4', null), defaultOrder: true, ...named() }
const pair: CompositeType = { kind: 'composite', ...named() }

function base(name: string, collation: Collation | null): BaseType {
  return { kind: 'base', name, collation, ...named() }
}

function named(): { readonly castName: string; readonly displayName: string } {
  return { castName: '', displayName: NAME }
}

function labelOf(name: string): string {
  return `\`${SQL_NAMES[name] ?? name}\``
}

function classes(): readonly OperatorClass[] {
  return Object.keys(CLASSES) as OperatorClass[]
}

function operators(): readonly ConditionOperator[] {
  return Object.keys(OPERATORS) as ConditionOperator[]
}

function operatorsOf(operatorClass: OperatorClass): readonly ConditionOperator[] {
  return operators().filter((operator) => OPERATORS[operator].class === operatorClass)
}

function operatorNames(operatorClass: OperatorClass): string {
  const names = operatorsOf(operatorClass).map((operator) => OPERATORS[operator].sql)
  return operatorClass === 'boolean' ? 'the column as a condition' : names.map((name) => `\`${name}\``).join(' ')
}
