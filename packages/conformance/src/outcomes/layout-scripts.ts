import type { Script } from './script.ts'

const PARTED = `
  CREATE TABLE public.parted (id int, part int, v text, PRIMARY KEY (id, part)) PARTITION BY RANGE (part);
  CREATE TABLE public.part_a PARTITION OF public.parted FOR VALUES FROM (0) TO (10);
  CREATE TABLE public.part_b (v text, part int NOT NULL, gone int, id int NOT NULL);
  ALTER TABLE public.part_b DROP COLUMN gone;
  ALTER TABLE public.parted ATTACH PARTITION public.part_b FOR VALUES FROM (10) TO (20);
  CREATE TABLE public.part_c PARTITION OF public.parted FOR VALUES FROM (20) TO (40) PARTITION BY LIST (part);
  CREATE TABLE public.part_c1 PARTITION OF public.part_c FOR VALUES IN (20, 21);
  INSERT INTO public.parted SELECT i, i, 'old' FROM generate_series(1, 18) i;`

/** Tables that are made of several. */
export const layoutScripts: readonly Script[] = [
  {
    name: 'partitioned tables: leaves written directly, rows that move, partitions that come and go',
    setup: PARTED,
    tables: [{ table: 'public.parted', key: ['id', 'part'] }],
    steps: [
      `INSERT INTO public.parted VALUES (100, 5, 'a'), (101, 15, 'b'), (102, 20, 'c') RETURNING *`,
      `INSERT INTO public.parted VALUES (103, 99, 'nowhere')`,
      `INSERT INTO public.part_b (id, part, v) VALUES (104, 12, 'leaf')`,
      `INSERT INTO public.part_b (id, part, v) VALUES (105, 5, 'wrong leaf')`,
      `UPDATE public.part_a SET v = 'leaf' WHERE part = 5`,
      `UPDATE public.parted SET part = part + 10 WHERE part IN (3, 5) RETURNING id, part`,
      `UPDATE public.part_a SET part = 15 WHERE part = 4`,
      `UPDATE public.parted SET part = 20, v = 'deep' WHERE id = 6`,
      `DELETE FROM public.part_c1 WHERE id = 6`,
      { copy: 'COPY public.parted (id, part, v) FROM STDIN', text: '200\t1\tx\n201\t11\tx\n202\t21\tx\n203\t2\tx\n' },
      { copy: 'COPY public.parted (id, part, v) FROM STDIN', text: '204\t1\tx\n205\t35\tnowhere\n' },
      `INSERT INTO public.parted VALUES (1, 1, 'x'), (300, 1, 'x') ON CONFLICT (id, part) DO UPDATE SET v = excluded.v || '!' RETURNING *`,
      `CREATE TABLE public.part_d PARTITION OF public.parted FOR VALUES FROM (40) TO (50)`,
      `INSERT INTO public.parted VALUES (400, 41, 'new part')`,
      `DELETE FROM public.part_d`,
      `ALTER TABLE public.parted DETACH PARTITION public.part_d`,
      `INSERT INTO public.part_d VALUES (401, 42, 'no part any more'), (402, 42, 'no part any more')`,
      `DELETE FROM public.part_d`,
      `ALTER TABLE public.parted ATTACH PARTITION public.part_d FOR VALUES FROM (40) TO (60)`,
      `INSERT INTO public.parted VALUES (403, 55, 'a part again')`,
      `WITH gone AS (DELETE FROM public.parted WHERE part < 3 RETURNING *) INSERT INTO public.parted SELECT id + 1000, part, v FROM gone RETURNING id`,
      `UPDATE public.parted SET v = upper(v) WHERE part > 5 RETURNING id`,
      `ALTER TABLE public.parted ADD COLUMN more int DEFAULT 7`,
      `UPDATE public.parted SET more = id`,
      `TRUNCATE public.parted`,
      `INSERT INTO public.parted VALUES (1, 1, 'last')`,
    ],
    errors: ['23514', '23514', '23514', '23514'],
  },
  {
    name: 'partitioned tables with triggers that write to them, and move rows between parts',
    setup: `${PARTED}
      CREATE FUNCTION public.follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF pg_trigger_depth() < 3 THEN
          UPDATE public.parted SET v = v || '+', part = 19 - part WHERE id = NEW.id + 30 AND part < 20;
        END IF; RETURN NEW; END $$;
      CREATE TRIGGER follow BEFORE INSERT OR UPDATE ON public.parted FOR EACH ROW EXECUTE FUNCTION public.follow();
      CREATE FUNCTION public.sweep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE public.parted SET v = v || '-' WHERE id = OLD.id + 60; DELETE FROM public.parted WHERE id = OLD.id + 30; RETURN NULL; END $$;
      CREATE TRIGGER sweep AFTER DELETE ON public.parted FOR EACH ROW EXECUTE FUNCTION public.sweep();
      INSERT INTO public.parted SELECT i, i % 20, 'more' FROM generate_series(31, 99) i`,
    tables: [{ table: 'public.parted', key: ['id', 'part'] }],
    steps: [
      `INSERT INTO public.parted VALUES (100, 5, 'a'), (4, 15, 'b'), (6, 20, 'c') RETURNING *`,
      `UPDATE public.parted SET v = 'x' WHERE id < 8`,
      `UPDATE public.parted SET part = (part + 7) % 20 WHERE id BETWEEN 9 AND 14`,
      `DELETE FROM public.parted WHERE id IN (1, 2, 3)`,
      `DELETE FROM public.parted WHERE id > 30`,
      { copy: 'COPY public.parted (id, part, v) FROM STDIN', text: '31\t1\tx\n1\t11\tx\n61\t21\tx\n31\t2\tx\n' },
      { copy: 'COPY public.parted (id, part, v) FROM STDIN', text: '1\t0\ty\n' },
    ],
  },
  {
    name: 'inheritance: what is written through the parent and to the child',
    setup: `
      CREATE TABLE public.parent (id int PRIMARY KEY, v text);
      CREATE TABLE public.child (own int, PRIMARY KEY (id)) INHERITS (public.parent);
      INSERT INTO public.parent VALUES (1, 'p'), (2, 'p');
      INSERT INTO public.child VALUES (11, 'c', 1), (12, 'c', 2);`,
    tables: [{ table: 'public.child' }],
    steps: [
      `UPDATE public.parent SET v = v || '!'`,
      `INSERT INTO public.child VALUES (13, 'c', 3) RETURNING *`,
      `DELETE FROM public.parent WHERE id IN (2, 12)`,
      `UPDATE ONLY public.parent SET v = 'only'`,
      `UPDATE public.child SET id = 1`,
      `TRUNCATE ONLY public.parent`,
      `UPDATE public.child SET id = id + 100`,
      `TRUNCATE public.parent`,
      `INSERT INTO public.child VALUES (1, 'last', 1)`,
    ],
    errors: ['23505'],
  },
]
