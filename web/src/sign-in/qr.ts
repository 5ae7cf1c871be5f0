/** A QR code as one SVG path. Drawn here, in the page: the secret in it goes nowhere. */
import { encode } from 'uqr'

/** Modules of quiet ground around the code (ISO/IEC 18004 asks for 4: cameras find it by them). */
const QUIET = 4

export interface Drawn {
  /** Modules a side, quiet ground included. */
  size: number
  /** One square a dark module, for `<path d>`. */
  path: string
}

export function drawn(text: string): Drawn {
  const { size, data } = encode(text, { ecc: 'M', border: QUIET })
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
  return { size, path: squares.join('') }
}
