import { tmpdir } from 'node:os'
import { numberOption, RowtapError, wordOption } from '@rowtap/core/driver'
import type { WalDriverOptions } from '../../wal-driver-options.ts'
import type { OpenTransactionsOptions } from './open-transactions.ts'
import { checkDirectory, openIn } from './spill-file.ts'

/** What was given the options, for messages. */
const WHERE = 'walDriver()'

const DEFAULT_BUFFER_BYTES = 64 * 1024 * 1024

/** How open transactions are kept; `null` where the server sends none. */
export function openTransactionsOptions(options: WalDriverOptions): OpenTransactionsOptions | null {
  if (options.streaming !== 'on') return null
  return {
    bufferBytes: options.streamingBufferBytes ?? DEFAULT_BUFFER_BYTES,
    openFile: openIn(options.spillDirectory ?? tmpdir()),
  }
}

/**
 * Whether files can be made where open transactions may have to wait.
 *
 * @throws RowtapError ERR_STORAGE
 */
export async function checkSpillDirectory({ streaming, spillDirectory }: WalDriverOptions): Promise<void> {
  if (streaming === 'on') await checkDirectory(spillDirectory ?? tmpdir())
}

/** @throws RowtapError ERR_INVALID_OPTIONS */
export function checkStreamingOptions({ streaming, streamingBufferBytes, spillDirectory }: WalDriverOptions): void {
  wordOption(WHERE, 'streaming', streaming, 'off', ['off', 'on'])
  numberOption(WHERE, 'streamingBufferBytes', streamingBufferBytes, DEFAULT_BUFFER_BYTES, {
    least: 0,
    of: 'bytes',
    isWhole: true,
  })
  if (spillDirectory !== undefined && (typeof spillDirectory !== 'string' || spillDirectory === '')) {
    throw invalid('spillDirectory must be the path of a directory')
  }
  if (streaming !== 'on' && (streamingBufferBytes !== undefined || spillDirectory !== undefined)) {
    const name = streamingBufferBytes === undefined ? 'spillDirectory' : 'streamingBufferBytes'
    throw invalid(`${name} means nothing without streaming: 'on'`)
  }
}

function invalid(what: string): RowtapError {
  return new RowtapError('ERR_INVALID_OPTIONS', { message: `${WHERE}: ${what}.` })
}
