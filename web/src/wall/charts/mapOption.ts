/** The map's option: districts shaded by weighted open count, everything else with a place as a point. Plain data. */
import type { EChartsCoreOption } from 'echarts/core'
import type { UnitRow } from '../../core/contract'
import { COLOUR, gravest, SHAPE, weighted } from '../../core/levels'
import { whole } from '../../core/numbers'
import { labelOffset, type Pixel } from '../labels'
import { SHADES, shadeOf, steps } from '../shade'
import type { CityMap } from './cityMap'

const FONT = "'Noto Sans SC Variable', 'Noto Sans SC', sans-serif"
/** The map's box on the stage, and the degree of latitude against one of longitude: cos 29.6°, the city's latitude. */
export const BOX = { width: 584, height: 786 } as const
const ASPECT = 0.87
/** A unit with nothing open: a small open ring, so that it is seen to be watched. */
const CALM = 'path://M10 3 A7 7 0 1 0 10 17 A7 7 0 1 0 10 3 Z M10 7 A3 3 0 1 1 10 13 A3 3 0 1 1 10 7 Z'

/** Districts are drawn as areas where the map has them, by code or by name; all others are points. */
export function split(units: readonly UnitRow[], map: CityMap): { areas: Map<string, UnitRow>; points: UnitRow[] } {
  const byName = new Map([...map.districts].map(([code, { name }]) => [name, code]))
  const areas = new Map<string, UnitRow>()
  const points: UnitRow[] = []
  for (const row of units) {
    const code = map.districts.has(row.code) ? row.code : row.kind === 'district' ? byName.get(row.name) : undefined
    if (code !== undefined) areas.set(code, row)
    else if (row.lon !== null && row.lat !== null) points.push(row)
  }
  return { areas, points }
}

/** Upper ends of the colour steps for these areas. */
export function endsOf(areas: ReadonlyMap<string, UnitRow>): [number, number, number] {
  return steps(Math.max(0, ...[...areas.values()].map((row) => weighted(row.by_level))))
}

/** Pixels of a place, near enough to keep labels off points; null where the map names no view. */
function projector(map: CityMap): ((lon: number, lat: number) => Pixel) | null {
  if (map.view === null) return null
  const [[west, north], [east]] = map.view
  const scale = BOX.width / (east - west)
  return (lon, lat) => [(lon - west) * scale, ((north - lat) * scale) / ASPECT]
}

/** Label offsets by district. */
function offsets(map: CityMap, points: readonly UnitRow[]): Map<string, Pixel> {
  const project = projector(map)
  const found = new Map<string, Pixel>()
  if (project === null) return found
  const marks = points.map((row) => project(row.lon ?? 0, row.lat ?? 0))
  const placed: Pixel[] = []
  for (const [code, { cp }] of map.districts) {
    const at = project(...cp)
    const offset = labelOffset(at, marks, placed)
    found.set(code, offset)
    placed.push([at[0] + offset[0], at[1] + offset[1]])
  }
  return found
}

export function mapOption(units: readonly UnitRow[], map: CityMap, chosen: string | null): EChartsCoreOption {
  const { areas, points } = split(units, map)
  const ends = endsOf(areas)
  const aside = offsets(map, points)
  const regions = [...map.districts].map(([code, { name }]) => {
    const row = areas.get(code)
    const formatter = row ? `{n|${whole(row.open)}}\n{w|${row.name}}` : `{w|${name}}`
    const on = row !== undefined && row.code === chosen
    return {
      name: code,
      label: { formatter, offset: [...(aside.get(code) ?? [0, 0])] },
      itemStyle: {
        areaColor: SHADES[row ? shadeOf(weighted(row.by_level), ends) : 0],
        ...(on ? { borderColor: '#e3eef5', borderWidth: 2.5 } : {}),
      },
      emphasis: { label: { formatter, offset: [...(aside.get(code) ?? [0, 0])] } },
    }
  })
  const label = {
    show: true, color: '#ffffff', fontFamily: FONT, fontSize: 20, lineHeight: 24, align: 'center',
    rich: {
      n: { fontSize: 26, fontWeight: 600, fontFamily: FONT, color: '#ffffff', lineHeight: 28, align: 'center' },
      w: { fontSize: 20, fontFamily: FONT, color: '#e6eef4', lineHeight: 23, align: 'center' },
    },
  }
  return {
    animation: false,
    geo: {
      map: map.id, nameProperty: 'code', roam: false, selectedMode: false, left: 4, right: 4, top: 2, bottom: 44,
      aspectScale: ASPECT,
      ...(map.view ? { boundingCoords: map.view } : {}),
      label,
      itemStyle: { areaColor: SHADES[0], borderColor: '#5f7c90', borderWidth: 1 },
      emphasis: { label: { ...label }, itemStyle: { areaColor: null, borderColor: '#e3eef5', borderWidth: 2 } },
      regions,
    },
    series: [{
      type: 'scatter', coordinateSystem: 'geo', z: 5,
      data: points.map((row) => {
        const level = gravest(row.by_level)
        return {
          code: row.code, value: [row.lon, row.lat],
          symbol: level ? `path://${SHAPE[level]}` : CALM,
          symbolSize: row.code === chosen ? 24 : 16,
          itemStyle: { color: level ? COLOUR[level] : '#b4c2ce', borderColor: '#0b1118', borderWidth: 1.5, opacity: 1 },
        }
      }),
    }],
  }
}
