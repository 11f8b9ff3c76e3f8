/** The package has no types of its own. What its functions return is described in syntax-tree.ts. */
declare module 'pg-query-emscripten/pg_query_wasm.js' {
  /** Starts a new instance of the parser, with memory of its own. */
  export default function start(): Promise<unknown>
}
