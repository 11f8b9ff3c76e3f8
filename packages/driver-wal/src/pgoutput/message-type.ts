/*
 * The first byte of each message of pgoutput.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export const BEGIN = 0x42 // 'B'
export const COMMIT = 0x43 // 'C'
export const DELETE = 0x44 // 'D'
export const INSERT = 0x49 // 'I'
export const LOGICAL_MESSAGE = 0x4d // 'M'
export const ORIGIN = 0x4f // 'O'
export const RELATION = 0x52 // 'R'
export const TRUNCATE = 0x54 // 'T'
export const TYPE = 0x59 // 'Y'
export const UPDATE = 0x55 // 'U'

/* Those that protocol 2 adds. */
export const STREAM_ABORT = 0x41 // 'A'
export const STREAM_COMMIT = 0x63 // 'c'
export const STREAM_START = 0x53 // 'S'
export const STREAM_STOP = 0x45 // 'E'
