import { RowtapError } from '@rowtap/core'
import type { SyntaxNode } from './syntax-tree.ts'

/** PostgreSQL's scanner and grammar. Places are counted in bytes of UTF-8, except an error's. */
export interface PostgresParser {
  /** The text's tokens, comments included. */
  scan(text: string): readonly Token[] | ParserError
  /** The text's statements. Never to be called with a text that is nested deeply: see nesting.ts. */
  parse(text: string): readonly SyntaxNode[] | ParserError
}

/** One token of the text. */
export interface Token {
  readonly text: string
  readonly start: number
  /** `'SELECT'`, `'IDENT'`, `'ICONST'`, `'ASCII_40'` for a parenthesis. */
  readonly token_kind: string
}

/** PostgreSQL's message, and the place of the error in characters, the first of which is 1. */
export interface ParserError {
  readonly message: string
  readonly cursorpos: number
}

/** What the package's instance has, as far as it is used here. */
interface Instance {
  ALLOC_STACK: number
  scan(text: string): { readonly error: ParserError | null; readonly tokens: TokenVector | null }
  parse(text: string): {
    readonly error: ParserError | null
    readonly parse_tree: { readonly stmts: readonly { readonly stmt: SyntaxNode }[] }
  }
}

/** A vector in the parser's memory. */
interface TokenVector {
  size(): number
  get(index: number): Token
  delete(): void
}

let loading: Promise<PostgresParser> | null = null

/** The parser, which is loaded when this is called for the first time. */
export function postgresParser(): Promise<PostgresParser> {
  loading ??= load().catch((cause: unknown) => {
    throw failed(cause)
  })
  return loading
}

/** A parser that has failed is not used again: its memory may be anything. */
function failed(cause: unknown): Error {
  loading = null
  return new RowtapError('ERR_INVALID_OPTIONS', {
    message:
      'The SQL parser failed. Please report it with the text that it was given, or write the condition as an object.',
    cause,
  })
}

async function load(): Promise<PostgresParser> {
  const { default: start } = await import('pg-query-emscripten/pg_query_wasm.js')
  const instance = (await start()) as Instance
  // The package (5.1.0) puts the text on a stack of 64 kB and never takes it off again, so that a long text, or some
  // thousand short ones, overwrite the parser's memory. With 0 it allocates the text, and does free it.
  instance.ALLOC_STACK = 0
  return {
    scan: (text) => calling(() => scanned(instance, text)),
    parse: (text) =>
      calling(() => {
        const { error, parse_tree: tree } = instance.parse(text)
        return error ?? tree.stmts.map(({ stmt }) => stmt)
      }),
  }
}

function calling<T>(call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw failed(cause)
  }
}

function scanned(instance: Instance, text: string): readonly Token[] | ParserError {
  const { error, tokens } = instance.scan(text)
  if (tokens === null) return error ?? { message: 'no tokens', cursorpos: 1 }
  const list = Array.from({ length: tokens.size() }, (_, index) => tokens.get(index))
  tokens.delete()
  return list
}
