import jsQR from 'jsqr'
import { expect, test } from 'vitest'
import { drawn } from '../src/sign-in/qr'

/** Pixels a module: a camera never sees fewer. */
const SCALE = 4

/** The path's squares on white, as a camera's picture would hold them. */
function photographed(size: number, path: string): Uint8ClampedArray {
  const side = size * SCALE
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255)
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let row = 0; row < SCALE; row++) {
      for (let column = 0; column < SCALE; column++) {
        const at = ((Number(y) * SCALE + row) * side + Number(x) * SCALE + column) * 4
        pixels.fill(0, at, at + 3)
      }
    }
  }
  return pixels
}

test.each(['otpauth://totp/%E4%B8%80%E7%8E%AF%E5%9B%9B%E5%91%98:chen?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=%E4%B8%80%E7%8E%AF', 'a'])(
  'a reader of codes reads what was drawn: %s',
  (text) => {
    const { size, path } = drawn(text)
    expect(jsQR(photographed(size, path), size * SCALE, size * SCALE)?.data).toBe(text)
  },
)

test('four modules of quiet ground lie around it', () => {
  const { size, path } = drawn('otpauth://totp/a?secret=b')
  const places = [...path.matchAll(/M(\d+) (\d+)h/g)].flatMap(([, x, y]) => [Number(x), Number(y)])
  expect([Math.min(...places), Math.max(...places)]).toEqual([4, size - 5])
})
