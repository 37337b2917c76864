import { randomBytes } from 'node:crypto'

/** A frame as it goes over the wire (RFC 6455 5.2). */
export type Frame = {
  readonly fin?: boolean
  /** The three reserved bits, 0–7. */
  readonly rsv?: number
  readonly opcode: number
  readonly payload?: Buffer | string
  /** A client's frames are masked. */
  readonly masked?: boolean
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export function encodeFrame({
  fin = true,
  rsv = 0,
  opcode,
  payload = '',
  masked = true,
}: Frame): Buffer {
  const body = Buffer.from(payload)
  const { length } = body
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const head = Buffer.alloc(2 + extended + (masked ? 4 : 0))
  head.writeUInt8((fin ? 0x80 : 0) | (rsv << 4) | opcode, 0)
  const short = extended === 0 ? length : extended === 2 ? 126 : 127
  head.writeUInt8((masked ? 0x80 : 0) | short, 1)
  if (extended === 2) head.writeUInt16BE(length, 2)
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2)
  if (masked) {
    const mask = randomBytes(4)
    mask.copy(head, 2 + extended)
    for (let i = 0; i < length; i++) body.writeUInt8(body.readUInt8(i) ^ mask.readUInt8(i % 4), i)
  }
  return Buffer.concat([head, body])
}

export function closePayload(code: number, reason: Buffer | string = ''): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return Buffer.concat([head, Buffer.from(reason)])
}

export type ReceivedFrame = {
  readonly fin: boolean
  readonly rsv: number
  readonly opcode: number
  readonly masked: boolean
  readonly payload: Buffer
}

/** The whole frames in `bytes`, and what is left over. */
export function decodeFrames(bytes: Buffer): {
  readonly frames: readonly ReceivedFrame[]
  readonly rest: Buffer
} {
  const frames: ReceivedFrame[] = []
  let at = 0
  for (;;) {
    const frame = decodeFrame(bytes, at)
    if (frame === undefined) return { frames, rest: bytes.subarray(at) }
    frames.push(frame.frame)
    at = frame.end
  }
}

function decodeFrame(
  bytes: Buffer,
  at: number,
): { readonly frame: ReceivedFrame; readonly end: number } | undefined {
  if (bytes.length < at + 2) return undefined
  const first = bytes.readUInt8(at)
  const second = bytes.readUInt8(at + 1)
  const short = second & 0x7f
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const masked = second >= 0x80
  const start = at + 2 + extended + (masked ? 4 : 0)
  if (bytes.length < start) return undefined
  const length =
    extended === 0
      ? short
      : extended === 2
        ? bytes.readUInt16BE(at + 2)
        : Number(bytes.readBigUInt64BE(at + 2))
  const end = start + length
  if (bytes.length < end) return undefined
  const payload = Buffer.from(bytes.subarray(start, end))
  if (masked) {
    for (let i = 0; i < length; i++) {
      payload.writeUInt8(payload.readUInt8(i) ^ bytes.readUInt8(start - 4 + (i % 4)), i)
    }
  }
  return {
    frame: { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, masked, payload },
    end,
  }
}
