/** SQLSTATE of a lock that could not be had within `lock_timeout`. */
export const LOCK_NOT_AVAILABLE = '55P03'
/** SQLSTATE of a deadlock that was resolved by failing this transaction. */
export const DEADLOCK_DETECTED = '40P01'
/** SQLSTATE of a missing privilege or ownership. */
export const INSUFFICIENT_PRIVILEGE = '42501'
/** SQLSTATE of an object that others depend on, or a schema that is not empty. */
export const DEPENDENT_OBJECTS = '2BP01'

/** SQLSTATEs of a schema, table, function or other object that is not there. */
export const UNDEFINED_OBJECTS: ReadonlySet<string> = new Set(['3F000', '42P01', '42883', '42704'])
