import { RowtapError } from '@rowtap/core'

import { DemoScreen } from '../demo/demo-screen.ts'
import { startDemoServer } from '../demo/demo-server.ts'
import { ShopDatabase } from '../demo/shop-database.ts'
import { ShopDay } from '../demo/shop-day.ts'
import { ShopObserver } from '../demo/shop-observer.ts'
import type { DemoReport } from '../demo/demo-report.ts'
import { isFaultless, reportLines } from '../demo/demo-report.ts'
import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import type { Surroundings } from '../terminal/surroundings.ts'

/** What `rowtap demo` takes. */
export interface DemoOptions {
  /** How long the shop is open. */
  readonly seconds: number
}

const WRITERS = 5

/**
 * Runs a shop in a PostgreSQL of its own, and shows its changes as each driver sees them.
 *
 * @throws Error where a driver saw other changes than were written.
 */
export async function demo(options: DemoOptions, around: Surroundings): Promise<void> {
  const stop = AbortSignal.any([around.interrupted, readerGone(around)])
  const screen = new DemoScreen(around)
  const { bold, dim } = around.colors
  await screen.lines('', `${bold('rowtap demo')}  a small shop in PostgreSQL, and what two drivers see of it`, '')
  await screen.lines('Starting a PostgreSQL of its own in a temporary directory …')
  const report = await openShop(options, around, screen, stop)
  if (report === null) {
    await screen.lines('', 'Stopped early. Nothing is left behind.', '')
    return
  }
  await screen.lines(
    dim(notShown(report)),
    '',
    bold('The shop has closed.'),
    '',
    ...reportLines(report, around.colors),
    '',
    ...REPORT_NOTES.map(dim),
    '',
  )
  if (!isFaultless(report)) throw new Error('a driver saw other changes than the shop wrote')
}

const REPORT_NOTES: readonly string[] = [
  "Delay: from PostgreSQL's own commit timestamp to the call of the handler, by",
  'one clock. The shop and both drivers share one process.',
  'Fold: the changes, applied by key to the rows of the start, against SELECT.',
  'The server and its directory are removed.',
]

function notShown({ written, shown }: DemoReport): string {
  return `… and ${(written - shown).toLocaleString('en')} more, which went by too fast to read`
}

/** From the server's start to its end. `null`: stopped early. */
async function openShop(
  options: DemoOptions,
  around: Surroundings,
  screen: DemoScreen,
  stop: AbortSignal,
): Promise<DemoReport | null> {
  await using server = await startUnlessStopped(stop)
  if (server === null) return null
  await using shop = await ShopDatabase.open(server.url, WRITERS)
  await screen.lines(
    `PostgreSQL ${await shop.version()} runs. Both drivers begin to listen to the shop's four tables …`,
  )
  const [first, second] = DRIVER_NAMES
  if (first === undefined || second === undefined) throw new RangeError('the demo compares two drivers')
  await using left = await ShopObserver.open(first, server.url, around.messages)
  await using right = await ShopObserver.open(second, server.url, around.messages)
  const day = new ShopDay(shop, [left, right], screen)
  await day.prepare()
  if (stop.aborted) return null
  await screen.lines(`Ready. ${WRITERS} writers go to work for ${options.seconds} seconds.`, '')
  await screen.heads()
  await day.run(options.seconds * 1_000, stop)
  return stop.aborted ? null : await day.close(stop)
}

async function startUnlessStopped(stop: AbortSignal): Promise<Awaited<ReturnType<typeof startDemoServer>> | null> {
  try {
    return await startDemoServer(stop)
  } catch (error) {
    if (stop.aborted && RowtapError.is(error, 'ERR_ABORTED')) return null
    throw error
  }
}

/** Aborts when nobody reads what is written any more. */
function readerGone({ output }: Surroundings): AbortSignal {
  const controller = new AbortController()
  const gone = (): void => controller.abort()
  // That writing failed is told at the end, when what was written is flushed.
  output.closed.then(gone, gone)
  return controller.signal
}
