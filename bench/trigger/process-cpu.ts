import { readFile } from 'node:fs/promises'

/** How much processor time a process has used, in seconds; 0 where the system does not tell. */
export async function processCpuSeconds(pid: number): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold spaces. User and system time are the 14th and 15th fields, in 1/100 s.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}
