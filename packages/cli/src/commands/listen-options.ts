import type { ConditionSource, ListenOptions, TableName } from '@rowtap/core'

import type { TailOptions } from './tail.ts'

/** A condition in SQL, which is read when the table is known: the parser is loaded only if there is one. */
function sqlCondition(text: string): ConditionSource {
  return {
    toCondition: async (columns) => {
      const { parseCondition } = await import('@rowtap/sql')
      return await parseCondition(text, [], columns)
    },
  }
}

/** The options of the listener on one of the tables. */
export function listenOptions(table: TableName, options: TailOptions): ListenOptions {
  // A command line has lost the driver's type: whether the driver has what an option asks for, core says.
  const given: { readonly table: TableName; readonly [option: string]: unknown } = {
    table,
    ...(options.operations === undefined ? {} : { operations: options.operations }),
    ...(options.columns === undefined ? {} : { columns: options.columns }),
    ...(options.where === undefined ? {} : { where: sqlCondition(options.where) }),
    ...(options.signals === true ? { rows: false } : {}),
    ...(options.snapshot === true ? { snapshot: 'initial' } : {}),
    ...(options.transitions === undefined ? {} : { transitions: options.transitions }),
  }
  return given
}
