/** What messages of core and the drivers say of their own options, and the command's words for it. */
const FLAGS: readonly (readonly [RegExp, string])[] = [
  [/\bset transitions to 'idempotent'/, '--transitions idempotent'],
  [/\blisten to the operations 'insert' and 'truncate' only/, '--on insert,truncate'],
  [/\blisten without the operation 'update'/, '--on insert,delete,truncate'],
  [/\bCorrect 'columns'/, 'the same again with other --columns'],
  [/\bCorrect 'where'/, 'the same again with another --where'],
  [/\bwal_level is \w+, and must be logical/, '--driver trigger, which works with any'],
  [/\bonPositionLost: 'restart'/, 'rowtap uninstall --subscription NAME, and then the same again'],
]

/** One line that says what a message's way out is on the command line; `null` where the message names none. */
export function optionHint(message: string): string | null {
  const flags = FLAGS.filter(([phrase]) => phrase.test(message)).map(([, flag]) => flag)
  return flags.length === 0 ? null : `On the command line: ${flags.join(', or ')}`
}
