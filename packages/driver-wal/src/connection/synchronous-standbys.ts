/** What the name of a connection that changes come through ends with: no list of standbys has it by chance. */
const READER_SUFFIX = ' changes'

/** How long the rest of it may be: the server cuts it off at 63 bytes. */
const NAME_CHARACTERS = 48

/** The name of that connection, as an expression, before it is given. Everything is named with its schema. */
export const READER_NAME: string = `pg_catalog.left(pg_catalog.current_setting('application_name'), ${NAME_CHARACTERS}) OPERATOR(pg_catalog.||) '${READER_SUFFIX}'`

const LIST = /^\s*(?:(?:FIRST|ANY)\s+)?\d+\s*\(([^]*)\)\s*$/i
const NAME = /"((?:[^"]|"")*)"|([^\s,]+)/g

/** The names in a server's `synchronous_standby_names`. */
export function standbyNames(setting: string): readonly string[] {
  const list = LIST.exec(setting)?.[1] ?? setting
  return [...list.matchAll(NAME)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

/**
 * Whether a server takes a connection of this name, which changes come through, for one of its standbys: commits would wait
 * for it, and it keeps nothing of them.
 * https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-SYNCHRONOUS-STANDBY-NAMES
 */
export function isCountedAsStandby(setting: string, readerName: string): boolean {
  return standbyNames(setting).some((name) => name === '*' || name.toLowerCase() === readerName.toLowerCase())
}
