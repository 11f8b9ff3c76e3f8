import { codeOf, errorText } from './server-error.ts'

const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const UNCHECKED = 'sslmode=no-verify (encrypted, but anyone could be answering)'

/**
 * What is wrong with TLS on a connection that was not made, and what to do; `null` where it is not about TLS.
 * The codes are Node's: https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export function tlsProblem(error: unknown, address: string): string | null {
  const code = codeOf(error)
  // Node adds advice of its own, about its own options.
  const reason = errorText(error).split(';', 1)[0] ?? ''
  if (/does not support SSL/u.test(reason)) {
    return `The server at ${address} does not speak TLS, which the connection asks for: set sslmode=disable in the connection string, or ssl = on in the server’s configuration.`
  }
  if (UNKNOWN_AUTHORITY.has(code)) {
    return `The certificate of the server at ${address} is not signed by a known authority (${reason}): name the file with the authority’s certificate with sslrootcert=… in the connection string, or set ${UNCHECKED}.`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The certificate of the server at ${address} is for another host (${reason}): connect with a name that the certificate holds, or set ${UNCHECKED}.`
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `The certificate of the server at ${address} is not valid now (${reason}): renew it on the server, check this machine’s clock, or set ${UNCHECKED}.`
  }
  if (/SSL/u.test(reason) || /^(?:ERR_SSL|ERR_TLS|EPROTO)/u.test(code)) {
    return `TLS with the server at ${address} failed (${reason}): check sslmode and the certificates that the connection names, and the server’s log.`
  }
  return null
}
