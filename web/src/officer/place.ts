/** Where somebody stands: from the code on the wall (`#unit=330203-001&place=3号楼二层`), or as last time. */
const LAST = 'campus-risk-place'
const MOST = 200

export interface Standpoint { unit: string; place: string }

/** From an address' fragment: it is not sent to any server. */
export function fromFragment(fragment: string): Standpoint | null {
  const given = new URLSearchParams(fragment.replace(/^#/, ''))
  const unit = given.get('unit') ?? ''
  const place = (given.get('place') ?? '').slice(0, MOST)
  return unit === '' && place === '' ? null : { unit: /^[\w-]{1,64}$/.test(unit) ? unit : '', place }
}

export function last(store: Pick<Storage, 'getItem'>): Standpoint {
  try {
    const { unit, place } = JSON.parse(store.getItem(LAST) ?? '{}') as Partial<Standpoint>
    return { unit: typeof unit === 'string' ? unit : '', place: typeof place === 'string' ? place : '' }
  } catch {
    return { unit: '', place: '' }
  }
}

export function remember(store: Pick<Storage, 'setItem'>, at: Standpoint): void {
  store.setItem(LAST, JSON.stringify(at))
}
