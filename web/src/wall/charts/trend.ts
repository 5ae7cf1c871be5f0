/** The trend's option: plain data, so that two of them can be compared. */
import type { EChartsCoreOption } from 'echarts/core'
import type { HourRow } from '../../core/contract'
import { cityDay } from '../../core/time'
import { words } from '../../words'

export const TREND_COLOUR = { reports: '#3c627c', hazards: '#cfe8f6', closed: '#7fd1b0' } as const
const FONT = "'Noto Sans SC Variable', 'Noto Sans SC', sans-serif"

export function trendOption(hours: readonly HourRow[]): EChartsCoreOption {
  const label = { color: '#93a3b1', fontSize: 20, fontFamily: FONT }
  return {
    animation: false,
    grid: { left: 46, right: 6, top: 12, bottom: 30 },
    xAxis: {
      type: 'category',
      data: hours.map((row) => words.trend.hour(cityDay(Date.parse(row.hour)).hour)),
      axisLine: { lineStyle: { color: '#3a4d5d' } }, axisTick: { show: false },
      axisLabel: { ...label, interval: 5, margin: 7 },
    },
    yAxis: {
      type: 'value', min: 0, minInterval: 1, splitNumber: 2,
      axisLabel: label, splitLine: { lineStyle: { color: '#22303d' } },
    },
    series: [
      { type: 'bar', data: hours.map((row) => row.reports), itemStyle: { color: TREND_COLOUR.reports }, barWidth: '64%', silent: true },
      {
        type: 'line', data: hours.map((row) => row.hazards), showSymbol: false, silent: true,
        lineStyle: { color: TREND_COLOUR.hazards, width: 2.5 },
      },
      {
        type: 'line', data: hours.map((row) => row.closed), showSymbol: false, silent: true,
        lineStyle: { color: TREND_COLOUR.closed, width: 2.5, type: [6, 4] },
      },
    ],
  }
}
