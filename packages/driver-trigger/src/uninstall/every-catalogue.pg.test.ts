import { cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'
import { everyCatalogue } from '../testing/every-catalogue.ts'
import { uninstallTrigger } from './uninstall-trigger.ts'

const SHOP = `
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TABLE orders (id int PRIMARY KEY, status text COLLATE "C" DEFAULT 'new', moods mood[], CHECK (id > 0));
  CREATE TABLE lines (id int PRIMARY KEY, of int REFERENCES orders ON DELETE CASCADE);
  COMMENT ON TABLE orders IS 'what was ordered';
  CREATE FUNCTION checked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
  CREATE TRIGGER checked BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION checked();
  CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
  CREATE TABLE child (own int) INHERITS (orders);
  CREATE VIEW seen AS SELECT * FROM orders;
  ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
  ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;`

const WRITES = `
  INSERT INTO orders VALUES (1); UPDATE orders SET status = 'paid'; INSERT INTO lines VALUES (1, 1); DELETE FROM orders;
  INSERT INTO parted VALUES (1, 'a'); DELETE FROM parted`

function difference(now: ReadonlySet<string>, before: ReadonlySet<string>): object {
  return { lost: [...before].filter((line) => !now.has(line)), left: [...now].filter((line) => !before.has(line)) }
}

describePostgres('what a queue leaves in the catalogues', (postgres) => {
  test.each<[string, boolean, boolean, 'off' | 'conditions']>([
    ['is nothing, when its last client closes', false, false, 'off'],
    ['is nothing, where rows could be left out', false, false, 'conditions'],
    ['is nothing, when it is uninstalled after a crash', true, false, 'conditions'],
    ['is nothing, where it captured what replication writes', false, true, 'off'],
  ])('%s', async (_, crashes, enableAlways, pushdown) => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await everyCatalogue(database)
    await using session = await openTestSession({ connection: database.url, enableAlways, reconnect: false, pushdown })
    await session.capture('orders', 'lines', 'parted')
    await database.query(WRITES)
    // Inserts alone are wanted: of what is captured by statement nothing else is.
    await session.count(pushdown === 'off' ? 7 : 6)
    expect(difference(await everyCatalogue(database), before)).not.toEqual({ lost: [], left: [] })
    if (crashes) {
      await cutConnections(database)
      await eventually(() => session.error() !== null, 'the crash')
      await eventually(
        () =>
          uninstallTrigger({ connection: database.url }).then(
            (left) => left === null,
            () => false,
          ),
        'the removal',
      )
    } else {
      await session.close()
    }
    expect(difference(await everyCatalogue(database), before)).toEqual({ lost: [], left: [] })
  })
})
