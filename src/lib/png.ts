import { crc32, deflateSync } from 'node:zlib'

/**
 * A picture of black and white squares as PNG (ISO/IEC 15948): one bit a pixel, greyscale.
 *
 * @param rows all of one length, `true` for black
 * @param scale pixels along the side of a square
 */
export function blackAndWhitePng(rows: readonly (readonly boolean[])[], scale: number): Buffer {
  const width = (rows[0]?.length ?? 0) * scale
  const height = rows.length * scale
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // One bit; greyscale; the one compression, filter method and order of lines there is.
  header.set([1, 0, 0, 0, 0], 8)
  const lines = rows.flatMap((row) => Array<Buffer>(scale).fill(lineOf(row, scale)))
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(lines), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Filter type 0, then the pixels, the leftmost in the highest bit; 1 is white. */
function lineOf(row: readonly boolean[], scale: number): Buffer {
  const line = Buffer.alloc(1 + Math.ceil((row.length * scale) / 8))
  row.forEach((black, x) => {
    if (black) return
    for (let pixel = x * scale; pixel < (x + 1) * scale; pixel++) {
      const at = 1 + (pixel >> 3)
      line[at] = (line[at] ?? 0) | (0x80 >> (pixel & 7))
    }
  })
  return line
}

/** Length, name, data and their checksum (5.3). */
function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}
