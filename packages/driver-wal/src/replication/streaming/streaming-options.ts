import { tmpdir } from 'node:os'
import { RowtapError } from '@rowtap/core/driver'
import type { WalDriverOptions } from '../../wal-driver-options.ts'
import type { OpenTransactionsOptions } from './open-transactions.ts'
import { checkDirectory, openIn } from './spill-file.ts'

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
  if (streaming !== undefined && streaming !== 'on' && streaming !== 'off') {
    throw invalid(`streaming must be 'on' or 'off', not ${JSON.stringify(streaming)}`)
  }
  if (
    streamingBufferBytes !== undefined &&
    !(Number.isSafeInteger(streamingBufferBytes) && streamingBufferBytes >= 0)
  ) {
    throw invalid(
      `streamingBufferBytes must be a whole number of bytes, 0 or more, not ${String(streamingBufferBytes)}`,
    )
  }
  if (spillDirectory !== undefined && (typeof spillDirectory !== 'string' || spillDirectory === '')) {
    throw invalid('spillDirectory must be the path of a directory')
  }
  if (streaming !== 'on' && (streamingBufferBytes !== undefined || spillDirectory !== undefined)) {
    const name = streamingBufferBytes === undefined ? 'spillDirectory' : 'streamingBufferBytes'
    throw invalid(`${name} means nothing without streaming: 'on'`)
  }
}

function invalid(what: string): RowtapError {
  return new RowtapError('ERR_INVALID_OPTIONS', { message: `walDriver: ${what}.` })
}
