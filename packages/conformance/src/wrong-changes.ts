import type { Relation } from '@rowtap/core/driver'
import type { BrokenDriver } from './broken-driver.ts'
import { altered, newText, positionAfter, withChanges, withSession } from './damaged-driver.ts'

/** How often the rare defects happen: more seldom than most witnesses have changes. */
const SELDOM = 150

const drops: BrokenDriver = {
  defect: 'loses a change now and then',
  failing: ['one transaction of very many rows is delivered whole and in order'],
  break: (driver) =>
    withChanges(driver, () => {
      let seen = 0
      return (changes) => changes.filter(() => (seen += 1) % SELDOM !== 0)
    }),
}

const duplicates: BrokenDriver = {
  defect: 'delivers a delete twice when it comes after an update of another row',
  failing: ['every event has an id of its own, a position that grows, and its transaction'],
  break: (driver) =>
    withChanges(
      driver,
      () => (changes) =>
        changes.flatMap((change, index) => {
          const before = changes[index - 1]
          if (change.kind !== 'delete' || before?.kind !== 'update') return [change]
          if (before.transaction !== change.transaction || newText(before, 'id') === change.old?.text(0))
            return [change]
          return [change, altered(change, { position: positionAfter(change.position) })]
        }),
    ),
}

const reorders: BrokenDriver = {
  defect: 'swaps the second update of a row with the delete that follows it',
  failing: ['several changes of one row in one transaction are all delivered, in order'],
  break: (driver) =>
    withChanges(driver, () => (changes) => {
      const result = [...changes]
      for (const [index, first] of changes.entries()) {
        const [second, last] = [changes[index + 1], changes[index + 2]]
        if (second === undefined || last === undefined) break
        const kinds = [first, second, last].map(({ kind }) => kind).join()
        if (kinds !== 'update,update,delete' || first.transaction !== last.transaction) continue
        if (newText(second, 'id') !== last.old?.text(0)) continue
        result[index + 1] = altered(last, { position: second.position })
        result[index + 2] = altered(second, { position: last.position })
      }
      return result
    }),
}

const decodes: BrokenDriver = {
  defect: 'reads numeric as a JavaScript number',
  failing: ["booleans and numbers are what pg returns, whatever the writer's settings"],
  break(driver) {
    const wrong = new WeakMap<Relation, Relation>()
    const misread = (relation: Relation): Relation => {
      const known = wrong.get(relation)
      if (known !== undefined) return known
      const columns = relation.columns.map((column) =>
        column.typeOid === 1700 ? { ...column, parse: Number } : column,
      )
      const made = { ...relation, columns }
      wrong.set(relation, made)
      return made
    }
    const misreading = withSession(driver, (session) => ({
      describe: async (table) => misread(await session.describe(table)),
    }))
    return withChanges(
      misreading,
      () => (changes) => changes.map((change) => altered(change, { relation: misread(change.relation) })),
    )
  },
}

const invents: BrokenDriver = {
  defect: 'delivers what a savepoint rolled back',
  failing: ['a savepoint that is rolled back delivers nothing, and its transaction everything else'],
  // What was rolled back leaves no trace but the gap in the numbers that the case gives to its rows.
  break: (driver) =>
    withChanges(
      driver,
      () => (changes) =>
        changes.flatMap((change, index) => {
          const before = changes[index - 1]
          if (
            before?.transaction !== change.transaction ||
            newText(before, 'id') !== '1' ||
            newText(change, 'id') !== '4'
          )
            return [change]
          const invented = altered(change, {
            id: `${change.id} invented`,
            position: positionAfter(before.position),
            new: { text: (column) => (column === 0 ? '2' : null) },
          })
          return [invented, change]
        }),
    ),
}

const scatters: BrokenDriver = {
  defect: 'puts the last change of a transaction after the beginning of the next one',
  failing: ['the changes of a transaction are next to each other, however many write at once'],
  break: (driver) =>
    withChanges(driver, () => (changes) => {
      const result = [...changes]
      for (let index = 1; index + 2 < result.length; index += 1) {
        const [before, change, next] = result.slice(index - 1, index + 2)
        if (before === undefined || change === undefined || next === undefined) break
        const endsTransaction = before.transaction === change.transaction && next.transaction !== change.transaction
        const ofOtherRows = newText(change, 'v') === 'x' && newText(next, 'v') === 'x'
        if (!endsTransaction || !ofOtherRows || result[index + 2]?.transaction !== next.transaction) continue
        result[index] = altered(next, { position: change.position })
        result[index + 1] = altered(change, { position: next.position })
        index += 2
      }
      return result
    }),
}

const forgets: BrokenDriver = {
  defect: 'takes it that who was told of a table’s changes just now need not be told again',
  failing: ['what was written last is told to a listener without rows, however busy its handler is'],
  break: (driver) =>
    withChanges(driver, () => {
      let told = 0
      return (changes) => changes.filter(({ withoutRows }) => withoutRows !== true || (told += 1) % 2 === 1)
    }),
}

/** Drivers that deliver other changes than were made. */
export const WRONG_CHANGES: readonly BrokenDriver[] = [drops, duplicates, reorders, decodes, invents, scatters, forgets]
