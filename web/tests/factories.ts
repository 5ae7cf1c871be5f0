import type { TickerItem } from '../src/core/contract'
import { readFigures, readTicker } from '../src/core/read'

export const NOW = Date.parse('2026-05-01T00:00:00Z')

export function item(id: string, seconds = 0, more: Partial<TickerItem> = {}): TickerItem {
  return { ...readTicker({ id, kind: 'opened', level: 'yellow', at: new Date(NOW + seconds * 1000).toISOString() }), ...more }
}

export function figures(more: Record<string, unknown> = {}) {
  return readFigures({ as_of: new Date(NOW).toISOString(), unit: { code: '330200', name: '示范市', tier: 'city' }, ...more })
}
