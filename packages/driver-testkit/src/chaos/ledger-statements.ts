import type { Random } from '../tools/seeded-random.ts'

/** Accounts are few, so that writers meet on the same rows. */
const ACCOUNTS = 40
/** Keys below this are moved above it, and back. */
const FAR = 1000
/** Out of line (TOASTed), and not easily compressed. */
const LARGE_NOTE = `(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 120))`

/** What one transaction of a writer consists of. */
export interface LedgerTransaction {
  readonly statements: readonly string[]
  readonly commits: boolean
}

/** Draws a transaction. */
export function drawTransaction(random: Random): LedgerTransaction {
  const parts = 1 + random.integer(3)
  const statements = Array.from({ length: parts }, () => drawPart(random)).flat()
  // One that is open for a while commits after others that began later.
  if (random.chance(0.03)) statements.push(`SELECT pg_sleep(${0.05 * (1 + random.integer(6))})`)
  return { statements, commits: random.chance(0.92) }
}

function drawPart(random: Random): string[] {
  const part = random.chance(0.5) ? transfer(random) : [drawStatement(random)]
  if (!random.chance(0.2)) return part
  return ['SAVEPOINT s', ...part, random.chance(0.5) ? 'ROLLBACK TO s' : 'RELEASE s']
}

/** Money goes from one account to another, and the ledger says so. */
function transfer(random: Random): string[] {
  const [from, to] = [account(random), account(random)]
  const amount = 1 + random.integer(100)
  return [
    `UPDATE public.chaos_accounts SET amount = amount - ${amount} WHERE id = ${from}`,
    `INSERT INTO public.chaos_ledger (amount, note) VALUES (${amount}, 'from ${from} to ${to}')`,
    `UPDATE public.chaos_accounts SET amount = amount + ${amount} WHERE id = ${to}`,
  ]
}

function drawStatement(random: Random): string {
  const id = account(random)
  const other = account(random)
  if (random.chance(0.004)) {
    return `INSERT INTO public.chaos_ledger (amount, note) SELECT i, 'one of many' FROM generate_series(1, ${200 + random.integer(1800)}) i`
  }
  return random.pick([
    `INSERT INTO public.chaos_accounts (id, amount) VALUES (${id}, ${other}) ON CONFLICT DO NOTHING`,
    `INSERT INTO public.chaos_accounts (id, amount) SELECT i, i FROM generate_series(${id}, ${id + 4}) i ON CONFLICT (id) DO UPDATE SET amount = excluded.amount`,
    `UPDATE public.chaos_accounts SET note = ${LARGE_NOTE} WHERE id = ${id}`,
    `UPDATE public.chaos_accounts SET id = ${other} WHERE id = ${id}`,
    `UPDATE public.chaos_accounts SET id = id + ${FAR} WHERE id = ${id}`,
    `UPDATE public.chaos_accounts SET id = id - ${FAR} WHERE id = ${id + FAR}`,
    `DELETE FROM public.chaos_accounts WHERE id = ${id}`,
    `UPDATE public.chaos_ledger SET amount = amount + 1 WHERE id IN (SELECT id FROM public.chaos_ledger ORDER BY id DESC LIMIT ${1 + random.integer(5)})`,
    `DELETE FROM public.chaos_ledger WHERE id IN (SELECT id FROM public.chaos_ledger ORDER BY id LIMIT ${1 + random.integer(20)})`,
  ])
}

function account(random: Random): number {
  return 1 + random.integer(ACCOUNTS)
}
