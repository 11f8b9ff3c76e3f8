import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { eventually } from '@rowtap/driver-testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { displayWidth } from '../format/display-width.ts'
import { RowtapProcess, runRowtap } from '../testing/rowtap-process.ts'

/** Where the demo of one test puts its server, so that what it leaves behind can be told. */
let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rowtap-demo-test-'))
  // The server's processes may run as another user than the test.
  await chmod(directory, 0o777)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

function demo(...flags: readonly string[]): RowtapProcess {
  return new RowtapProcess(['demo', ...flags], { TMPDIR: directory })
}

/** Waits until no file and no process of the demo is left: what has to end may take a moment to end. */
async function expectNothingLeft(): Promise<void> {
  await eventually(async () => (await leftovers()).length === 0, 'nothing of the demo is left')
  expect(await leftovers()).toEqual([])
}

async function leftovers(): Promise<readonly string[]> {
  const commands = process.platform === 'linux' ? await commandsOfProc() : await commandsOfPs()
  return [...(await readdir(directory)), ...commands.filter((command) => command.includes(directory))]
}

/** The command line of every process. A small Linux has no `ps`. */
async function commandsOfProc(): Promise<readonly string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commands = await Promise.allSettled(processes.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8')))
  // A process may have ended since its number was listed.
  return commands.flatMap((command) => (command.status === 'fulfilled' ? [command.value.replaceAll('\0', ' ')] : []))
}

async function commandsOfPs(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args='])
  return stdout.split('\n')
}

describe('rowtap demo', () => {
  test('shows the changes of both drivers, compares them, ends with 0 and leaves nothing behind', async () => {
    await using rowtap = demo('--seconds', '2')
    const { exitCode, stdout, stderr } = await rowtap.ended
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    await expectNothingLeft()

    expect(stdout).toMatch(/^ {2}wal +│ trigger/m)
    // The same change in both columns, each with its delay.
    expect(stdout).toMatch(
      /^ {2}[+~-] (customers|products|orders|order_items) .* [\d.]+ m?s │ [+~-] \1 .* [\d.]+ m?s$/m,
    )
    const written = /^ {2}changes written +([\d,]+) +\1$/m.exec(stdout)?.[1] ?? ''
    expect(Number(written.replaceAll(',', ''))).toBeGreaterThan(20)
    expect(stdout).toMatch(new RegExp(`^ {2}changes seen +${written} +${written}$`, 'm'))
    expect(stdout).toMatch(/^ {2}delay, median +[\d.]+ m?s +[\d.]+ m?s$/m)
    expect(stdout).toMatch(/^ {2}delay, p99 +[\d.]+ m?s +[\d.]+ m?s$/m)
    expect(stdout).toMatch(/^ {2}fold equals table +yes +yes$/m)

    // Without a terminal: no colours, nothing that moves a cursor, no more than a person can read, 80 columns.
    // eslint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
    expect(stdout.match(/^ {2}[+~-] /gm)?.length ?? 0).toBeLessThanOrEqual(2 * 8 + 1)
    expect(Math.max(...stdout.split('\n').map(displayWidth))).toBeLessThanOrEqual(80)
  })

  test.each([
    ['while PostgreSQL starts', /Starting/],
    ['while the drivers begin to listen', /runs\./],
    ['while the shop is open', /^ {2}[+~-] /],
  ])('SIGINT %s ends it with 0 and leaves nothing behind', async (_, moment) => {
    await using rowtap = demo('--seconds', '60')
    await rowtap.linesUntil((line) => moment.test(line))
    rowtap.kill('SIGINT')
    const { exitCode, stdout, stderr } = await rowtap.ended
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('Stopped early. Nothing is left behind.')
    await expectNothingLeft()
  })

  test('a second signal ends it at once, and still nothing is left behind', async () => {
    await using rowtap = demo('--seconds', '60')
    await rowtap.linesUntil((line) => /^ {2}[+~-] /.test(line))
    rowtap.kill('SIGINT')
    rowtap.kill('SIGTERM')
    await rowtap.ended
    await expectNothingLeft()
  })

  test('without the package that starts a server it says what to install', async () => {
    const withoutTestkit = `import { registerHooks } from 'node:module'
      registerHooks({ resolve(name, context, next) {
        if (name === '@rowtap/driver-testkit') throw Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' })
        return next(name, context)
      } })`
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(withoutTestkit)}` }
    const { exitCode, stderr } = await runRowtap(['demo'], environment)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr:
        'rowtap: ERR_SETUP_REQUIRED: The demo needs a PostgreSQL of its own. Run: npm install @rowtap/driver-testkit\n',
    })
  })

  test('a reader that has seen enough ends it quietly with 0', async () => {
    await using rowtap = demo('--seconds', '60')
    await rowtap.linesUntil((line) => /^ {2}[+~-] /.test(line))
    rowtap.stopReading()
    expect(await rowtap.ended).toMatchObject({ exitCode: 0, stderr: '' })
    await expectNothingLeft()
  })
})
