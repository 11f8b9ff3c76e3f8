const HINTS: ReadonlyMap<string, string> = new Map([
  ['==', 'equality is ='],
  ['===', 'equality is ='],
  ['!==', 'inequality is <>'],
  ['&&', 'conditions are joined by AND'],
  ['||', 'conditions are joined by OR'],
  ['!', 'the contrary of a condition is NOT'],
])

/** How SQL writes what other languages write with this operator; `null`: the operator is not one of theirs. */
export function foreignOperatorHint(operator: string): string | null {
  return HINTS.get(operator) ?? null
}
