/** Where a listener is: an address with a port, or a Unix socket. */
export type ListenAddress = TcpAddress | SocketAddress

/** Port 0 is any free port. */
export type TcpAddress = { readonly host: string; readonly port: number }

/** A Unix socket's path, and who may connect, e.g. `0o660`. */
export type SocketAddress = { readonly path: string; readonly mode: number }

/** `http://127.0.0.1:9091`, or `unix:/run/sallyport.sock` */
export function listenUrl(address: ListenAddress, scheme: 'http' | 'https'): string {
  if ('path' in address) return `unix:${address.path}`
  const { host, port } = address
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
