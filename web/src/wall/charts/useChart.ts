/** An ECharts instance in an element, of the stage's own size. Drawn as SVG: sharp at every scale, and its type is the page's. */
import { BarChart, LineChart, ScatterChart } from 'echarts/charts'
import { GeoComponent, GridComponent } from 'echarts/components'
import { init, use, type ECharts, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { onBeforeUnmount, onMounted, shallowRef, watch, type Ref, type ShallowRef } from 'vue'

use([BarChart, LineChart, ScatterChart, GridComponent, GeoComponent, SVGRenderer])

export function useChart(box: Ref<HTMLElement | null>, option: Ref<EChartsCoreOption | null>): ShallowRef<ECharts | null> {
  const chart = shallowRef<ECharts | null>(null)
  let drawn = ''

  function draw(): void {
    if (chart.value === null || option.value === null) return
    // Figures arrive up to twice a second and seldom change a chart: the same picture is not drawn again.
    const wanted = JSON.stringify(option.value)
    if (wanted === drawn) return
    drawn = wanted
    chart.value.setOption(option.value)
  }

  onMounted(() => {
    if (box.value === null) return
    chart.value = init(box.value, null, { renderer: 'svg' })
    draw()
  })
  watch(option, draw)
  onBeforeUnmount(() => {
    chart.value?.dispose()
    chart.value = null
  })
  return chart
}
