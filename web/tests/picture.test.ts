import { describe, expect, it } from 'vitest'
import { LEVELS } from '../src/core/contract'
import { COLOUR, gravest, rank, SHAPE, weighted } from '../src/core/levels'
import { readFigures } from '../src/core/read'
import { cityOf } from '../src/wall/charts/cityMap'
import { split } from '../src/wall/charts/mapOption'
import { addClimb, climbOf, MOST_CLIMBS, type Climb } from '../src/wall/climbs'
import { fit } from '../src/wall/fit'
import { labelOffset } from '../src/wall/labels'
import { pieces } from '../src/wall/ring'
import { SHADES, shadeOf, steps } from '../src/wall/shade'
import { en } from '../src/words/en'
import { zh } from '../src/words/zh'

/** WCAG 2 contrast of two #rrggbb colours. */
function contrast(a: string, b: string): number {
  const light = (hex: string): number => {
    const [r, g, bl] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number]
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl
  }
  const [high, low] = [light(a), light(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe('colour', () => {
  it('is read at 4.5 : 1 and better, on panels and on the map', () => {
    for (const level of LEVELS) expect(contrast(COLOUR[level], '#111a23')).toBeGreaterThan(4.5)
    for (const shade of SHADES) expect(contrast('#ffffff', shade)).toBeGreaterThan(4.5)
    for (const text of ['#eef3f7', '#b4c2ce', '#93a3b1']) expect(contrast(text, '#182430')).toBeGreaterThan(4.5)
    expect(contrast('#3d0d0a', '#ffd9d5')).toBeGreaterThan(4.5)
  })
  it('is never alone: each level has a shape and a word of its own', () => {
    expect(new Set(Object.values(SHAPE)).size).toBe(4)
    expect(new Set(Object.values(zh.level)).size).toBe(4)
  })
})

it('says everything in both languages', () => {
  const keys = (o: object, path = ''): string[] =>
    Object.entries(o).flatMap(([k, v]) => (typeof v === 'object' ? keys(v as object, `${path}${k}.`) : [path + k])).sort()
  expect(keys(en)).toEqual(keys(zh))
})

it('weighs levels and names the gravest', () => {
  expect(weighted({ red: 1, orange: 1, yellow: 1, blue: 1 })).toBe(18)
  expect(gravest({ red: 0, orange: 0, yellow: 2, blue: 9 })).toBe('yellow')
  expect(gravest({ red: 0, orange: 0, yellow: 0, blue: 0 })).toBeNull()
})

describe('stage', () => {
  it('fills a wall of its shape and is centred on any other', () => {
    expect(fit(1920, 1080)).toEqual({ scale: 1, left: 0, top: 0 })
    expect(fit(3840, 2160)).toEqual({ scale: 2, left: 0, top: 0 })
    expect(fit(1920, 1200)).toEqual({ scale: 1, left: 0, top: 60 })
  })
})

describe('ring', () => {
  it('draws nothing where nothing is open, and every level that is', () => {
    expect(pieces([], 74)).toEqual([])
    const drawn = pieces([{ level: 'red', phase: 'warn', count: 1 }, { level: 'blue', phase: 'warn', count: 3 }], 74)
    expect(drawn.map((one) => one.level)).toEqual(['blue', 'red'])
  })
})

describe('ladder', () => {
  it('puts university and district at one height', () => {
    expect(['school', 'university', 'district', 'city'].map(rank)).toEqual([0, 1, 1, 2])
  })
  it('lets red climb from the bottom, the others one step, and shows a few at a time', () => {
    expect(climbOf('a', 'red', 'city')).toMatchObject({ from: 0, to: 2 })
    expect(climbOf('a', 'yellow', 'city')).toMatchObject({ from: 1, to: 2 })
    expect(climbOf('a', 'yellow', 'school')).toMatchObject({ from: 0, to: 1 })
    let list: Climb[] = []
    for (let i = 0; i < 100; i++) list = addClimb(list, climbOf(`${i}`, 'red', 'city'))
    expect(list).toHaveLength(MOST_CLIMBS)
  })
})

describe('map', () => {
  it('shades in round steps', () => {
    expect(steps(0)).toEqual([1, 2, 3])
    expect(steps(70)).toEqual([20, 40, 60])
    expect([0, 1, 20, 21, 60, 61].map((n) => shadeOf(n, [20, 40, 60]))).toEqual([0, 1, 1, 2, 3, 4])
  })
  it('knows the city of a code', () => {
    expect(cityOf('330203-001')).toBe('330200')
    expect(cityOf('campus')).toBeNull()
  })
  it('draws districts as areas, the rest as points, and leaves out what has no place', () => {
    const map = { id: 'm', view: null, districts: new Map([['330203', { name: '甲区', cp: [121, 29] as [number, number] }]]) }
    const { units } = readFigures({
      units: [
        { code: '330203', kind: 'district', name: '甲区' }, { code: '330200-001', kind: 'university', lon: 121.5, lat: 29.8 },
        { code: '330200-002', kind: 'university' },
      ],
    })
    const { areas, points } = split(units, map)
    expect([...areas.keys()]).toEqual(['330203'])
    expect(points.map((row) => row.code)).toEqual(['330200-001'])
  })
  it('moves a label off a point', () => {
    expect(labelOffset([100, 100], [], [])).toEqual([0, 0])
    expect(labelOffset([100, 100], [[100, 78]], [])).toEqual([0, 22])
  })
})
