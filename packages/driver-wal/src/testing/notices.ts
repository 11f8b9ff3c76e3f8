import type { DriverNotice } from '@rowtap/core/driver'
import type { TestHost } from './test-session.ts'

/** What a session told of one kind. */
export function notices<K extends DriverNotice['kind']>(
  host: TestHost,
  kind: K,
): readonly Extract<DriverNotice, { readonly kind: K }>[] {
  return host.notices.filter((notice): notice is Extract<DriverNotice, { readonly kind: K }> => notice.kind === kind)
}

/** Whether a session told last that it is connected again. */
export function isConnected(host: TestHost): boolean {
  return notices(host, 'reconnect').at(-1)?.outcome === 'connected'
}
