import type { Capabilities, Operation } from './capabilities.ts'

declare const refusal: unique symbol

/**
 * A type that no value has. It stands where a driver's manifest says `false`, so that the compiler's message
 * shows the sentence.
 */
export interface Refused<Sentence extends string> {
  readonly [refusal]: Sentence
}

/** The operations that a driver delivers, as its manifest says. */
export type SupportedOperation<C extends Capabilities> = {
  [O in Operation]: C['operations'][O] extends false ? never : O
}[Operation]

/**
 * Holds what may be listed in `operations`. An option's type reads it from here, not through an alias: of an alias
 * the compiler would print the name and its arguments (the whole manifest) in place of the sentence.
 */
export interface OperationChoice<C extends Capabilities> {
  readonly value: {
    [O in Operation]: C['operations'][O] extends false
      ? Refused<`The driver '${C['driver']}' does not support the operation '${O}'.`>
      : O
  }[Operation]
}

/** What may be listed in `operations`: what is supported, and a sentence for what is not. */
export type OperationOption<C extends Capabilities> = OperationChoice<C>['value']

/** The ways to deliver transitions, as the manifest says. Read in the same way as {@link OperationChoice}. */
export interface TransitionChoice<C extends Capabilities> {
  readonly value: {
    [T in 'exact' | 'idempotent']: C['transitions'][T] extends false
      ? Refused<`The driver '${C['driver']}' does not support transitions: '${T}'.`>
      : T
  }['exact' | 'idempotent']
}

/**
 * `Value` where the manifest's cell is not `false`, otherwise a sentence that says so. Where the cell's value is not
 * known, the option compiles and the call is refused when it runs.
 */
export type OptionIf<C extends Capabilities, Cell, Option extends string, Value> = [Cell] extends [false]
  ? Refused<`The driver '${C['driver']}' does not support the option '${Option}'.`>
  : Value
