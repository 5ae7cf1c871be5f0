import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { backoff } from '../src/core/backoff'
import { openStream, type StreamEvents } from '../src/core/stream'

/** An EventSource whose server is the test. */
class Source extends EventTarget {
  static CLOSED = 2
  static made: Source[] = []
  readyState = 0
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  onmessage: (() => void) | null = null
  constructor(readonly url: string) {
    super()
    Source.made.push(this)
  }
  close(): void { this.readyState = 2 }
  open(): void { this.readyState = 1; this.onopen?.() }
  fail(state: 0 | 2): void { this.readyState = state; this.onerror?.() }
  say(type: string, data = '{}'): void { this.dispatchEvent(new MessageEvent(type, { data })) }
}

const on = { open: vi.fn(), lost: vi.fn(), hazard: vi.fn(), changed: vi.fn() } satisfies StreamEvents
const last = (): Source => Source.made[Source.made.length - 1]!

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', Source)
  Source.made = []
  Object.values(on).forEach((fn) => fn.mockReset())
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('hands on hazards and changes, and skips what is not JSON', () => {
  const stream = openStream('/s', on, () => 0.5)
  last().open()
  last().say('hazard', '{"id":"a"}')
  last().say('hazard', 'half a li')
  last().say('figures')
  expect(on.hazard.mock.calls).toEqual([[{ id: 'a' }]])
  expect(on.changed).toHaveBeenCalledTimes(1)
  stream.stop()
})
it('leaves a broken connection to the browser, and opens a closed one anew with growing pauses', () => {
  const stream = openStream('/s', on, () => 0.5)
  last().open()
  last().fail(0)
  vi.advanceTimersByTime(3000)
  expect(Source.made).toHaveLength(1)
  const pauses = [1000, 2000, 4000, 8000]
  for (const [at, pause] of pauses.entries()) {
    last().fail(2)
    vi.advanceTimersByTime(pause - 1)
    expect(Source.made).toHaveLength(at + 1)
    vi.advanceTimersByTime(1)
    expect(Source.made).toHaveLength(at + 2)
  }
  last().open()
  last().fail(2)
  vi.advanceTimersByTime(1000)
  expect(Source.made).toHaveLength(6)
  stream.stop()
})
it('replaces a connection that has been silent for 40 s, not one that pings', () => {
  const stream = openStream('/s', on, () => 0.5)
  last().open()
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(15_000)
    last().say('ping')
  }
  expect(Source.made).toHaveLength(1)
  vi.advanceTimersByTime(46_000)
  expect(Source.made).toHaveLength(2)
  expect(Source.made[0]!.readyState).toBe(2)
  expect(on.lost).toHaveBeenCalledTimes(1)
  stream.stop()
})
it('is quiet once stopped', () => {
  const stream = openStream('/s', on, () => 0.5)
  last().fail(2)
  stream.stop()
  vi.advanceTimersByTime(120_000)
  expect(Source.made).toHaveLength(1)
})
it('waits longer each time, up to ten seconds, and never all walls together', () => {
  expect([0, 1, 2, 5, 50, 5000].map((n) => backoff(n, 0.5))).toEqual([1000, 2000, 4000, 10_000, 10_000, 10_000])
  expect(backoff(0, 0)).toBe(800)
  expect(backoff(0, 1)).toBe(1200)
})
