import { readFile } from 'node:fs/promises'

/** How much processor time a server process has used, in seconds; 0 where the system does not tell. */
export async function processCpuSeconds(pid: number): Promise<number> {
  try {
    const [nanoseconds] = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')
    return Number(nanoseconds) / 1e9
  } catch {
    return 0
  }
}
