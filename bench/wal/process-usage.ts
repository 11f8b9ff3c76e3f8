import { readFile } from 'node:fs/promises'

/** Reads what Linux tells of another process; each is `null` where there is nothing to read. */

/** The processor time that it has taken, in seconds. */
export async function cpuSecondsOf(processId: number): Promise<number | null> {
  const text = await readFile(`/proc/${processId}/schedstat`, 'latin1').catch(() => null)
  return text === null ? null : Number(text.split(' ')[0]) / 1e9
}

/** How many bytes it has written, to whatever. */
export async function writtenBytesOf(processId: number): Promise<number | null> {
  const text = await readFile(`/proc/${processId}/io`, 'latin1').catch(() => null)
  return numberAfter(text, /^wchar: (\d+)/mu)
}

/** The greatest amount of memory that it ever had, in bytes. */
export async function peakRssBytesOf(processId: number): Promise<number | null> {
  const text = await readFile(`/proc/${processId}/status`, 'latin1').catch(() => null)
  const kilobytes = numberAfter(text, /^VmHWM:\s*(\d+) kB/mu)
  return kilobytes === null ? null : kilobytes * 1024
}

function numberAfter(text: string | null, pattern: RegExp): number | null {
  const match = text === null ? null : pattern.exec(text)
  return match === null ? null : Number(match[1])
}
