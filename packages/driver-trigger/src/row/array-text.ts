/**
 * Replaces the elements of an array that are not NULL, in the text that PostgreSQL's `array_out` prints, and prints the
 * result by the same rules: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function mapArrayText(text: string, map: (element: string) => string): string {
  // Bounds come before the first brace: `[0:1]={a,b}`.
  const start = text.indexOf('{')
  const elements = text.slice(start).replace(/"((?:[^"\\]|\\.)*)"|[^{},"]+/gsu, (token, quoted: string | undefined) => {
    if (quoted !== undefined) return quoteElement(map(quoted.replace(/\\(.)/gsu, '$1')))
    return token === 'NULL' ? token : quoteElement(map(token))
  })
  return text.slice(0, start) + elements
}

function quoteElement(element: string): string {
  if (element !== '' && !/["\\{},\s]|^null$/iu.test(element)) return element
  return `"${element.replace(/["\\]/gu, '\\$&')}"`
}
