import { capabilityNames } from '@rowtap/core'
import { describe, expect, test } from 'vitest'

import { runRowtap } from './testing/rowtap-process.ts'

// Nothing listens there: whoever reaches it has not refused what was asked for.
const NOWHERE = 'postgresql://ada:s3cr3t@127.0.0.1:1/shop'
const TAIL = ['tail', '--url', NOWHERE, '--table', 'orders']

describe('a wrong command line ends with 2 and one sentence', () => {
  test.each([
    ['an unknown command', ['nope'], /^rowtap: unknown command 'nope'\n$/],
    ['a command that is nearly right', ['tial'], /^rowtap: unknown command 'tial' \(Did you mean tail\?\)\n$/],
    ['an unknown flag', ['tail', '--nope'], /^rowtap: unknown option '--nope'\n$/],
    ['a flag without its value', ['tail', '--url'], /^rowtap: option '--url <url>' argument missing\n$/],
    ['too many words', ['capabilities', 'now'], /^rowtap: too many arguments.*\n$/],
    [
      'no database',
      ['tail', '--table', 'orders'],
      /^rowtap: a database is needed: give --url or set DATABASE_URL.*\n$/,
    ],
    [
      'what is no database',
      ['tail', '--url', 's3cr3t', '--table', 't'],
      /^rowtap: --url is not a PostgreSQL connection string.*\n$/,
    ],
    ['no table', ['tail', '--url', NOWHERE], /^rowtap: a table is needed: give --table.*\n$/],
    [
      'a malformed table name',
      ['tail', '--url', NOWHERE, '--table', 'a..b'],
      /^rowtap: --table: "a\.\.b" is not the name of a table.*\n$/,
    ],
    ['an unknown driver', [...TAIL, '--driver', 'nope'], /^rowtap: --driver takes wal or trigger, not "nope"\n$/],
    [
      'an unknown operation',
      [...TAIL, '--on', 'insert,upsert'],
      /^rowtap: --on takes insert, update, delete or truncate, not "upsert"\n$/,
    ],
    [
      'a condition given twice',
      [...TAIL, '--where', 'a > 1', '--where', 'b > 1'],
      /^rowtap: --where is given twice: join the conditions with AND\n$/,
    ],
    ['a bad number', [...TAIL, '--limit', '1.5'], /^rowtap: --limit takes a whole number from 1 on, not "1\.5"\n$/],
    ['bad columns', [...TAIL, '--columns', 'id,'], /^rowtap: --columns takes names separated by commas.*\n$/],
    ['an empty condition', [...TAIL, '--where', ' '], /^rowtap: --where is empty: give a condition.*\n$/],
    ['bad values', [...TAIL, '--values', 'yaml'], /^rowtap: --values takes json or text, not "yaml"\n$/],
    [
      'bad transitions',
      [...TAIL, '--transitions', 'maybe'],
      /^rowtap: --transitions takes exact or idempotent, not "maybe"\n$/,
    ],
    ['a doctor without a database', ['doctor'], /^rowtap: a database is needed: give --url or set DATABASE_URL.*\n$/],
    ['an unknown driver to look at', ['doctor', '--driver', 'x'], /^rowtap: --driver takes wal or trigger, not "x"\n$/],
    ['an uninstall without a database', ['uninstall', '--yes'], /^rowtap: a database is needed.*\n$/],
    ['a bad duration', ['demo', '--seconds', '0'], /^rowtap: --seconds takes a whole number from 1 on, not "0"\n$/],
  ])('%s', async (_, parameters, sentence) => {
    const result = await runRowtap(parameters)
    expect(result).toEqual({ exitCode: 2, stdout: '', stderr: expect.stringMatching(sentence) })
    expect(result.stderr).not.toContain('s3cr3t')
  })

  test('no command at all prints the help', async () => {
    const result = await runRowtap([])
    expect(result).toEqual({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/^Usage: rowtap/) })
  })
})

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])('%s prints the commands', async (flag) => {
    const result = await runRowtap([flag])
    expect(result).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^Usage: rowtap/), stderr: '' })
    expect(result.stdout.match(/^ {2}(\w+) .*$/gm)?.map((line) => line.trim().split(' ')[0])).toEqual([
      'demo',
      'tail',
      'doctor',
      'uninstall',
      'capabilities',
      'help',
    ])
  })

  test('tail --help prints its flags within 80 columns', async () => {
    const result = await runRowtap(['tail', '--help'])
    expect(result.exitCode).toBe(0)
    expect(Math.max(...result.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    for (const flag of ['--url', '--table', '--driver', '--on', '--columns', '--json', '--values', '--limit']) {
      expect(result.stdout).toContain(flag)
    }
    expect(result.stdout).toMatch(/--transitions <how> +exact \(default\)/)
  })

  test('--version prints the version', async () => {
    expect(await runRowtap(['--version'])).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    })
  })
})

describe('capabilities', () => {
  test('the matrix has a line for each capability, and fits 80 columns', async () => {
    const { exitCode, stdout, stderr } = await runRowtap(['capabilities'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^operations +wal +trigger$/m)
    expect(stdout).toMatch(/^ {2}The emptying of a table +(database|process|no) +(database|process|no)$/m)
    expect(stdout.match(/ (database|process|no) +(database|process|no)$/gm)).toHaveLength(capabilityNames().length)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test('as JSON it has a cell for each capability and driver', async () => {
    const { exitCode, stdout } = await runRowtap(['capabilities', '--json'])
    expect(exitCode).toBe(0)
    const cells: unknown = JSON.parse(stdout)
    expect(Object.keys(cells ?? {})).toEqual([...capabilityNames()])
    expect(cells).toMatchObject({ 'operations.insert': { wal: 'database', trigger: 'database' } })
  })
})

test('a trace is printed only when it is asked for', async () => {
  const parameters = [...TAIL, '--subscription', 'billing']
  expect((await runRowtap(parameters)).stderr).not.toContain('    at ')
  expect((await runRowtap(parameters, { ROWTAP_DEBUG: '1' })).stderr).toContain('    at ')
})
