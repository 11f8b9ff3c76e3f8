import type { Random } from '@rowtap/driver-testkit'
import { seededRandom } from '@rowtap/driver-testkit'
import type { Step } from './outcome.ts'
import type { Script } from './script.ts'

/** Statements that a script runs. */
const STEPS = 25
/** Ids are few, so that what is written at random meets. */
const IDS = 30

/** Scripts that follow from numbers, one each: triggers and functions that write to their own table, in every way. */
export function randomScripts(first: number, count: number): readonly Script[] {
  return Array.from({ length: count }, (_, index) => randomScript(first + index))
}

function randomScript(seed: number): Script {
  const random = seededRandom(seed)
  const triggers = Array.from({ length: 1 + random.integer(3) }, (_, index) => trigger(random, `trigger_${index}`))
  return {
    name: `whatever triggers and functions do (${seed})`,
    setup: `
      CREATE TABLE public.t (id int PRIMARY KEY, v text, n int DEFAULT 0);
      CREATE FUNCTION public.f(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF i % 2 = 0 THEN ${write(random)}; END IF; RETURN i; END $$;
      ${triggers.join('\n')}`,
    tables: [{ table: 'public.t' }],
    steps: Array.from({ length: STEPS }, () => step(random)),
    errors: 'any',
  }
}

function trigger(random: Random, name: string): string {
  const level = random.pick(['ROW', 'ROW', 'STATEMENT'])
  const event = random.pick([
    'BEFORE INSERT',
    'AFTER INSERT',
    'BEFORE UPDATE',
    'AFTER UPDATE',
    'AFTER DELETE',
    'AFTER INSERT OR UPDATE',
  ])
  const isMeant =
    level === 'ROW' ? `pg_trigger_depth() < 3 AND coalesce(NEW.v, OLD.v) = 'go'` : 'pg_trigger_depth() < 2'
  return `
    CREATE FUNCTION public.${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF ${isMeant} THEN ${write(random)}; ${write(random)}; END IF; RETURN coalesce(NEW, OLD); END $$;
    CREATE TRIGGER ${name} ${event} ON public.t FOR EACH ${level} EXECUTE FUNCTION public.${name}();`
}

function id(random: Random): number {
  return 1 + random.integer(IDS)
}

/** A statement in a function. */
function write(random: Random): string {
  return random.pick([insertOrUpdate, insertOrUpdate, insertOrUpdate, move, copyInside])(random)
}

function insertOrUpdate(random: Random): string {
  return random.pick([
    `INSERT INTO public.t VALUES (${id(random)}, 'i') ON CONFLICT DO NOTHING`,
    `INSERT INTO public.t SELECT coalesce(max(id), 0) + 1, 'i' FROM public.t WHERE id < 500`,
    `INSERT INTO public.t VALUES (${id(random)}, 'i') ON CONFLICT (id) DO UPDATE SET n = t.n + 1`,
    `UPDATE public.t SET n = n + 1 WHERE id % 3 = ${random.integer(3)}`,
    `UPDATE public.t SET n = n + 1 WHERE id = ${id(random)}`,
  ])
}

function move(random: Random): string {
  return random.pick([
    `UPDATE public.t SET id = id + 100 WHERE id = ${id(random)}`,
    `DELETE FROM public.t WHERE id = ${id(random)}`,
    `WITH gone AS (DELETE FROM public.t WHERE id = ${id(random)} RETURNING *) INSERT INTO public.t SELECT * FROM gone`,
  ])
}

/** In a function the server itself has to have the rows. */
function copyInside(random: Random): string {
  const rows = Array.from({ length: 1 + random.integer(3) }, () => `${id(random)},${random.pick(['a', 'b', 'go'])}`)
  return `EXECUTE $copy$COPY public.t (id, v) FROM PROGRAM 'echo ${rows.join('&& echo ')}' (FORMAT csv)$copy$`
}

function step(random: Random): Step {
  if (random.chance(0.3)) {
    const rows = Array.from(
      { length: 1 + random.integer(6) },
      () => `${IDS + random.integer(400)}\t${random.pick(['a', 'go'])}\n`,
    )
    return { copy: 'COPY public.t (id, v) FROM STDIN', text: rows.join('') }
  }
  const many = `i * ${1 + random.integer(3)} + ${200 + random.integer(50)}, CASE WHEN i % 3 = 0 THEN 'go' ELSE 'a' || public.f(i) END`
  return random.pick([
    `INSERT INTO public.t VALUES (${id(random)}, 'a'), (${id(random) + 40}, 'go'), (${id(random) + 100}, 'a') ON CONFLICT DO NOTHING`,
    `INSERT INTO public.t SELECT ${many} FROM generate_series(1, ${1 + random.integer(8)}) i ON CONFLICT DO NOTHING`,
    `UPDATE public.t SET v = 'go' WHERE id = ${id(random)}`,
    'UPDATE public.t SET n = 100 WHERE id > 20 RETURNING public.f(id)',
    `DELETE FROM public.t WHERE id % 7 = ${random.integer(7)}`,
    `BEGIN; ${insertOrUpdate(random)}; ${move(random)}; COMMIT`,
    'ROLLBACK',
  ])
}
