import { displayWidth } from '@rowtap/core/conditions'

export { displayWidth } from '@rowtap/core/conditions'

/** The text, cut to `columns` with `…` at its end where it is longer. */
export function shorten(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  if (columns < 1) return ''
  let kept = ''
  let width = 1
  for (const character of text) {
    width += displayWidth(character)
    if (width > columns) break
    kept += character
  }
  return `${kept}…`
}

/** The text, filled with spaces at its end up to `columns`. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)))
}
