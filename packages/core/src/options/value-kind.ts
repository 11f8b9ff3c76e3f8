/** What a value is, in words for messages: `a list`, `null`, `a string`, `an instance of Map`. */
export function valueKind(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return objectKind(value)
  return `a ${typeof value}`
}

/** A value as it is written, where that is short, or what it is. */
export function shownValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'number':
    case 'boolean':
      return String(value)
    default:
      return valueKind(value)
  }
}

function objectKind(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) return 'an object'
  const { constructor } = prototype
  return typeof constructor === 'function' && constructor.name !== ''
    ? `an instance of ${constructor.name}`
    : 'an object'
}
