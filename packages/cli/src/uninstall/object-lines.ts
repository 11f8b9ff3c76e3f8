import type { InstalledObject } from './installed-objects.ts'
import type { Removal } from './remove-objects.ts'

/** What is there, each with the statements that remove it, or why it stays. */
export function objectLines(
  objects: readonly InstalledObject[],
  subscriptions: readonly string[],
  reasonToStay: (object: InstalledObject) => string | null,
): readonly string[] {
  if (objects.length === 0) return [`There is nothing of ${asked(subscriptions)} in this database.`]
  return objects.flatMap((object) => {
    const reason = reasonToStay(object)
    const contents = object.contents === '' ? '' : `, with ${object.contents}`
    const head = `${title(object)}${contents}`
    return reason === null
      ? [head, ...object.statements.map((statement) => `    ${statement};`)]
      : [`${head}: stays, ${reason}`]
  })
}

function asked(subscriptions: readonly string[]): string {
  if (subscriptions.length === 0) return 'rowtap'
  return `subscription${subscriptions.length === 1 ? '' : 's'} ${subscriptions.join(', ')}`
}

/** What became of an object, in one line. */
export function removalLine({ object, reason }: Removal): string {
  return reason === null ? `removed: ${title(object)}` : `left: ${title(object)}: ${reason}`
}

function title({ kind, name, subscription }: InstalledObject): string {
  return subscription === null ? `${kind} ${name}` : `${kind} ${name} of subscription ${subscription}`
}
