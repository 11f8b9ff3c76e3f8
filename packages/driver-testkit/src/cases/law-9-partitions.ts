import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'

const othersPartitions: ConformanceCase = {
  name: 'the owner of a partitioned table that another role captures can make, attach, detach and drop partitions',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    const role = await database.createRole()
    await database.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${role.name}`)
    const owner = await database.connect({ connectionString: role.url })
    await owner.query(`
      CREATE TABLE public.t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES FROM (0) TO (10)`)
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await assert.doesNotReject(async () => {
      await owner.query('CREATE TABLE public.t2 PARTITION OF public.t FOR VALUES FROM (10) TO (20)')
      await owner.query(`
        CREATE TABLE public.t3 (id int PRIMARY KEY, v text);
        ALTER TABLE public.t ATTACH PARTITION public.t3 FOR VALUES FROM (20) TO (30)`)
      await owner.query(`INSERT INTO public.t VALUES (1, 'a'), (11, 'b'), (21, 'c')`)
    }, 'capturing makes the owner’s statement fail')
    const events = await collector.count(3, 'a row of each partition')
    assert.deepEqual(
      events.map(({ key }) => Number(key?.['id'])).toSorted((one, other) => one - other),
      [1, 11, 21],
    )
    await assert.doesNotReject(async () => {
      await owner.query('ALTER TABLE public.t DETACH PARTITION public.t2')
      await owner.query('DROP TABLE public.t2, public.t3')
      await owner.query('CREATE TABLE public.t4 PARTITION OF public.t FOR VALUES FROM (10) TO (30)')
    }, 'capturing makes the owner’s statement fail')
  },
}

/** Law 9: who may do what to a table is not for its capturing to say. */
export const partitionCases: readonly ConformanceCase[] = [othersPartitions]
