import type { Capabilities } from '../capabilities/capabilities.ts'
import { checkCapability } from './check-capability.ts'
import { checkOptionNames, invalidOptions } from './check-option-names.ts'

/** Which logical messages a client asks for. */
export interface MessageRequest {
  /** Those whose prefix is one of these; `null`: all. */
  readonly prefixes: ReadonlySet<string> | null
}

/**
 * Checks the option `messages`; `null` where none are asked for.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED
 */
export function messageRequest(capabilities: Capabilities, given: unknown): MessageRequest | null {
  if (given === undefined) return null
  checkCapability(capabilities, 'messages.logical', `the option 'messages'`)
  if (given === true) return { prefixes: null }
  if (given === false) return null
  checkOptionNames(`'messages'`, given, ['prefixes'])
  const { prefixes }: { readonly prefixes?: unknown } = given
  if (prefixes === undefined) return { prefixes: null }
  if (!Array.isArray(prefixes) || !prefixes.every((prefix) => typeof prefix === 'string')) {
    throw invalidOptions(`'messages' is true, or { prefixes } with a list of texts.`)
  }
  if (prefixes.length === 0) {
    throw invalidOptions(`'messages.prefixes' takes a list of one or more texts, and not an empty one.`)
  }
  return { prefixes: new Set(prefixes) }
}
