import type { KeyTexts } from '../contract/snapshot-source.ts'
import type { QueuedChange } from '../delivery/queued-change.ts'
import type { Judgement } from './judge-change.ts'
import { judgeChange } from './judge-change.ts'
import type { KeyPlaceFinder } from './key-places.ts'
import type { KeyRanges } from './key-ranges.ts'
import type { KeyReader } from './key-texts.ts'

type Side = 'before' | 'after'

/** Judges changes by the ranges that their keys are in. */
export class RangeJudge {
  readonly #ranges: KeyRanges
  readonly #keys: KeyReader
  readonly #places: KeyPlaceFinder

  constructor(ranges: KeyRanges, keys: KeyReader, places: KeyPlaceFinder) {
    this.#ranges = ranges
    this.#keys = keys
    this.#places = places
  }

  /**
   * What becomes of a change; `'unknown'` where the places of its keys have to be found first.
   *
   * @throws RowtapError ERR_SETUP_REQUIRED where it came without its key.
   */
  judge(item: QueuedChange): Judgement | 'unknown' {
    const isKnown = keysNeeded(item).every((side) => this.#placeOf(this.#keyOf(item, side)) !== null)
    if (!isKnown) return 'unknown'
    return judgeChange(item, this.#ranges, {
      before: () => this.#keyOf(item, 'before'),
      after: () => this.#keyOf(item, 'after'),
      placeOf: (key) => this.#placeOf(key) ?? 0,
    })
  }

  /** Finds the places of these changes' keys, among the ranges that there are now. */
  async find(items: readonly QueuedChange[]): Promise<void> {
    const keys = items.flatMap((item) => keysNeeded(item).map((side) => this.#keyOf(item, side)))
    await this.#places.find(keys, this.#ranges.boundaries, this.#ranges.version)
  }

  #placeOf(key: KeyTexts): number | null {
    return this.#places.placeOf(key, this.#ranges.boundaries, this.#ranges.version)
  }

  #keyOf({ routed }: QueuedChange, side: Side): KeyTexts {
    return this.#keys.keyOf(routed[side], routed.change.relation, routed.change)
  }
}

function keysNeeded({ transition }: QueuedChange): readonly Side[] {
  switch (transition) {
    case 'insert':
    case 'derived insert':
    case 'update':
      return ['after']
    case 'delete':
    case 'derived delete':
      return ['before']
    case 'derived delete and insert':
      return ['before', 'after']
    case 'truncate':
    case 'snapshot':
    case 'signal':
      return []
  }
}
