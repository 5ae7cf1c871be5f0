/** A city's outline, one file a city in `public/maps/<code>.json`. A city without a file gets a plain field for its points. */
import { registerMap } from 'echarts/core'
import type { UnitRow } from '../../core/contract'

export interface CityMap {
  /** Name under which ECharts knows it. */
  id: string
  /** Districts it holds, by code. */
  districts: ReadonlyMap<string, District>
  /** North-west and south-east corner to show, [lon, lat]; null for everything. */
  view: [[number, number], [number, number]] | null
}

export interface District {
  name: string
  /** Where its label stands, [lon, lat]. */
  cp: [number, number]
}

interface MapFile {
  type: 'FeatureCollection'
  features: { properties: District & { code: string } }[]
  view?: [[number, number], [number, number]]
}

/** "330203-001" and "330203" lie in city "330200"; null for codes of another make. */
export function cityOf(code: string): string | null {
  return /^\d{6}/.test(code) ? `${code.slice(0, 4)}00` : null
}

const loaded = new Map<string, CityMap>()

/** The city's map, or null where there is none. Loaded once. */
export async function loadCityMap(city: string): Promise<CityMap | null> {
  const known = loaded.get(city)
  if (known) return known
  const answer = await fetch(`${import.meta.env.BASE_URL}maps/${city}.json`)
  if (answer.status === 404) return null
  if (!answer.ok) throw new Error(`map ${city}: ${answer.status}`)
  const file = (await answer.json().catch(() => null)) as MapFile | null
  if (file === null || !Array.isArray(file.features)) return null
  const id = `city-${city}`
  registerMap(id, file as unknown as Parameters<typeof registerMap>[1])
  const map: CityMap = {
    id, districts: new Map(file.features.map(({ properties }) => [properties.code, properties])), view: file.view ?? null,
  }
  loaded.set(city, map)
  return map
}

/** A field around the points alone, or null without points. */
export function plainMap(units: readonly UnitRow[]): CityMap | null {
  const at = units.filter((row) => row.lon !== null && row.lat !== null)
  if (at.length === 0) return null
  const lons = at.map((row) => row.lon ?? 0), lats = at.map((row) => row.lat ?? 0)
  // A margin of a twentieth, and never a field without extent.
  const pad = Math.max(0.01, (Math.max(...lons) - Math.min(...lons)) / 20)
  const west = Math.min(...lons) - pad, east = Math.max(...lons) + pad
  const south = Math.min(...lats) - pad, north = Math.max(...lats) + pad
  const ring = [[west, north], [east, north], [east, south], [west, south], [west, north]]
  registerMap('plain', {
    type: 'FeatureCollection',
    features: [{ type: 'Feature', properties: { code: '', name: '' }, geometry: { type: 'Polygon', coordinates: [ring] } }],
  } as unknown as Parameters<typeof registerMap>[1])
  return { id: 'plain', districts: new Map(), view: null }
}
