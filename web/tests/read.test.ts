import { describe, expect, it } from 'vitest'
import { BOUNDS } from '../src/core/bounds'
import { readFigures, readTicker } from '../src/core/read'
import { keyOf } from '../src/core/session'

describe('reading figures', () => {
  it.each([[null], [[]], ['text'], [{}], [{ open: null, tiers: {}, hours: 'x', recent: [null, 3] }]])('makes a whole of %j', (raw) => {
    const read = readFigures(raw)
    expect(read.open.by_level).toEqual({ red: 0, orange: 0, yellow: 0, blue: 0 })
    expect(read.rates.closing).toBeNull()
    expect(read.tiers).toEqual([])
  })
  it('keeps null apart from zero', () => {
    expect(readFigures({ rates: { closing: 0, timely: null } }).rates).toMatchObject({ closing: 0, timely: null, usage: null })
  })
  it('cuts every list', () => {
    const many = Array.from({ length: 2000 }, () => ({}))
    const read = readFigures({
      recent: many, urgent: many, climbed: many, hours: many, units: many, tiers: many, categories: many, open: { matrix: many }, warnings: many,
      forecast: { index: 50, points: many },
    })
    expect([read.warnings.length, read.forecast?.points.length]).toEqual([BOUNDS.warnings, BOUNDS.forecast])
    expect([read.recent, read.urgent, read.climbed, read.hours, read.units, read.tiers, read.categories, read.open.matrix].map((l) => l.length))
      .toEqual([BOUNDS.ticker, BOUNDS.urgent, BOUNDS.climbed, BOUNDS.hours, BOUNDS.units, BOUNDS.tiers, BOUNDS.categories, BOUNDS.matrix])
  })
  it('takes a forecast without an index for none, never for no risk', () => {
    expect(readFigures({ forecast: { points: [] } }).forecast).toBeNull()
    expect(readFigures({}).forecast).toBeNull()
  })
  it('copes with an event without label, summary or a known level', () => {
    expect(readTicker({ id: 'a', level: 'violet' })).toMatchObject({ id: 'a', label: '', summary: '', level: 'blue' })
  })
})

it('finds the key in the fragment', () => {
  expect(keyOf('#key=abc')).toBe('abc')
  expect(keyOf('#x=1&key=a%2Bb')).toBe('a+b')
  expect(keyOf('#key=')).toBeNull()
  expect(keyOf('')).toBeNull()
})
