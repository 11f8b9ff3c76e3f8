/** Whether PostgreSQL can hold a text: it has no NUL, and no character for one half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text)
}
