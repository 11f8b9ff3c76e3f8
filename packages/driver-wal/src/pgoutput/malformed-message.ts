/** A message's bytes are not what the protocol says. */
export class MalformedMessage extends Error {
  override get name(): string {
    return 'MalformedMessage'
  }
}
