import { quoteLiteral } from '../conditions/to-sql.ts'

/** A value of a parameter, as it can be shown in a statement. */
export type ShownParameter = string | number | boolean | null | readonly (string | number)[]

/**
 * A statement with its parameters (`$1`, …) as literals, to be shown to people. A list becomes an array's literal.
 *
 * @param sql holds no `$` and digits anywhere else.
 */
export function inlineParameters(sql: string, values: readonly ShownParameter[]): string {
  return sql.replaceAll(/\$(\d+)/gu, (parameter, number: string) => {
    const value = values[Number(number) - 1]
    return value === undefined ? parameter : literal(value)
  })
}

function literal(value: ShownParameter): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return quoteLiteral(value)
  if (typeof value === 'object') return quoteLiteral(`{${value.map((one) => element(String(one))).join(',')}}`)
  return String(value)
}

function element(text: string): string {
  return `"${text.replaceAll(/["\\]/gu, (character) => `\\${character}`)}"`
}
