/** What a value is, in words for messages: `a list`, `null`, `a string`. */
export function valueKind(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  const type = typeof value
  return `${type === 'object' ? 'an' : 'a'} ${type}`
}
