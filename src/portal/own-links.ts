/** A page's own address with the return ticket, for its language links. */
export function toSelf(path: string, returnTicket: string): string {
  if (returnTicket === '') return path
  return `${path}${path.includes('?') ? '&' : '?'}rt=${encodeURIComponent(returnTicket)}`
}
