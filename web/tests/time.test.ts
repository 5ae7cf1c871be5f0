import { describe, expect, it } from 'vitest'
import { cityDay, clock, countdown, hourMinute, spans } from '../src/core/time'

const NOW = Date.parse('2026-05-01T00:00:00Z')

describe('clock', () => {
  it("shows the city's time wherever the browser stands", () => {
    expect(clock(NOW)).toBe('08:00:00')
    expect(hourMinute(NOW)).toBe('08:00')
    expect(clock(Date.parse('2026-05-01T16:00:00Z'))).toBe('00:00:00')
  })
  it('shows nothing for an instant that cannot be read', () => {
    expect(clock(Date.parse('soon'))).toBe('')
  })
  it("turns the day over at the city's midnight", () => {
    expect(cityDay(Date.parse('2026-05-01T15:59:59Z'))).toEqual({ year: 2026, month: 5, day: 1, weekday: 5, hour: 23 })
    expect(cityDay(Date.parse('2026-05-01T16:00:00Z'))).toEqual({ year: 2026, month: 5, day: 2, weekday: 6, hour: 0 })
  })
})

describe('spans', () => {
  it.each([
    [0, [[0, 's']]],
    [59.9, [[59, 's']]],
    [60, [[1, 'm'], [0, 's']]],
    [3599, [[59, 'm'], [59, 's']]],
    [7500, [[2, 'h'], [5, 'm']]],
    [273_600, [[3, 'd'], [4, 'h']]],
    [-5, [[0, 's']]],
  ])('%d s', (seconds, expected) => {
    expect(spans(seconds)).toEqual(expected)
  })
})

describe('countdown', () => {
  const in_ = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString()

  it('counts down, and up again once past', () => {
    expect(countdown(in_(7500), NOW)).toEqual({ past: false, soon: false, spans: [[2, 'h'], [5, 'm']] })
    expect(countdown(in_(-61), NOW)).toEqual({ past: true, soon: false, spans: [[1, 'm'], [1, 's']] })
  })
  it('is not past at the deadline itself', () => {
    expect(countdown(in_(0), NOW)?.past).toBe(false)
    expect(countdown(in_(-1), NOW)?.past).toBe(true)
  })
  it('warns in the last quarter of an hour', () => {
    expect(countdown(in_(15 * 60), NOW)?.soon).toBe(false)
    expect(countdown(in_(15 * 60 - 1), NOW)?.soon).toBe(true)
  })
  it('has nothing to count without a deadline', () => {
    expect(countdown(null, NOW)).toBeNull()
    expect(countdown('', NOW)).toBeNull()
  })
})
