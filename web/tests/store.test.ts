import { describe, expect, it } from 'vitest'
import { BOUNDS } from '../src/core/bounds'
import { GRACE_MS, liveState, STALE_MS } from '../src/wall/live'
import { initial, reduce, type Action, type WallState } from '../src/wall/store'
import { figures, item, NOW } from './factories'

const after = (...actions: Action[]): WallState => actions.reduce(reduce, initial(NOW))
const ids = (state: WallState): string[] => state.ticker.map((line) => line.id)

describe('the feed', () => {
  it('puts an event on top at once and marks it', () => {
    const state = after(
      { type: 'figures', figures: figures({ recent: [item('old', -9)] }), now: NOW },
      { type: 'hazard', item: item('new', -30) },
    )
    expect(ids(state)).toEqual(['new', 'old'])
    expect(state.ticker.map((line) => line.live)).toEqual([true, false])
  })
  it('holds an event once, though stream and figures write its instant differently', () => {
    const live = item('a', 0, { at: '2026-05-01T08:00:00+08:00' })
    const state = after(
      { type: 'hazard', item: live }, { type: 'hazard', item: live },
      { type: 'figures', figures: figures({ recent: [item('a')] }), now: NOW },
    )
    expect(ids(state)).toEqual(['a'])
  })
  it('keeps two events of one hazard apart', () => {
    expect(ids(after({ type: 'hazard', item: item('a') }, { type: 'hazard', item: item('a', 0, { kind: 'climbed' }) }))).toHaveLength(2)
  })
  it('fills in what was missed, newest first', () => {
    const state = after(
      { type: 'hazard', item: item('a', 1) },
      { type: 'figures', figures: figures({ recent: [item('c', 3), item('b', 2), item('a', 1)] }), now: NOW },
    )
    expect(ids(state)).toEqual(['c', 'b', 'a'])
  })
  it('never grows past its bound', () => {
    let state = initial(NOW)
    for (let i = 0; i < 5000; i++) state = reduce(state, { type: 'hazard', item: item(`h${i}`, i) })
    expect(state.ticker).toHaveLength(BOUNDS.ticker)
    expect(state.ticker[0]?.id).toBe('h4999')
  })
  it("starts anew with another unit's figures", () => {
    const state = after(
      { type: 'figures', figures: figures({ recent: [item('a')] }), now: NOW },
      { type: 'figures', figures: figures({ unit: { code: '330203' }, recent: [item('b')] }), now: NOW },
    )
    expect(ids(state)).toEqual(['b'])
  })
})

it("follows the server's clock", () => {
  expect(after({ type: 'figures', figures: figures(), now: NOW - 5000 }).skew).toBe(5000)
  expect(after({ type: 'figures', figures: figures({ as_of: '?' }), now: NOW }).skew).toBe(0)
})
it('takes everything down when the credential is gone', () => {
  const state = after(
    { type: 'figures', figures: figures({ recent: [item('a')] }), now: NOW }, { type: 'hazard', item: item('b') }, { type: 'locked' },
  )
  expect(state).toMatchObject({ locked: true, figures: null, ticker: [], freshAt: null })
})

describe('live state', () => {
  const fresh = after({ type: 'figures', figures: figures(), now: NOW }, { type: 'open' })
  const lost = reduce(fresh, { type: 'lost', now: NOW })

  it('loads until the first figures', () => { expect(liveState(initial(NOW), NOW, true)).toBe('loading') })
  it('is live with fresh figures and an open stream', () => { expect(liveState(fresh, NOW + 1000, true)).toBe('live') })
  it('forgives the pause after the ten-minute end, then says it reconnects', () => {
    expect(liveState(lost, NOW + GRACE_MS, true)).toBe('live')
    expect(liveState(lost, NOW + GRACE_MS + 1, true)).toBe('reconnecting')
  })
  it('counts the pause from its beginning, however often it failed', () => {
    expect(reduce(lost, { type: 'lost', now: NOW + 9000 }).lostAt).toBe(NOW)
  })
  it('is stale when figures are old, even on an open stream', () => {
    expect(liveState(fresh, NOW + STALE_MS + 1, true)).toBe('stale')
    expect(liveState(fresh, NOW + STALE_MS + 1, false)).toBe('stale')
  })
  it('says when the network is down', () => { expect(liveState(fresh, NOW + 1, false)).toBe('offline') })
  it('is live again after a reconnect', () => {
    const back = [{ type: 'open' } as const, { type: 'figures', figures: figures(), now: NOW + 90_000 } as const].reduce<WallState>(reduce, lost)
    expect(liveState(back, NOW + 90_500, true)).toBe('live')
  })
})
