/** A key's text: equal for equal keys, for use in a Map. */
export function keyText(key: object): string {
  return JSON.stringify(Object.entries(key), (_name, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
}
