import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const page = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The typeface's licence (OFL) travels with its files. */
const fontLicence = {
  name: 'font-licence',
  generateBundle(this: { emitFile(file: { type: 'asset'; fileName: string; source: string }): void }) {
    const source = readFileSync(page('./node_modules/@fontsource-variable/noto-sans-sc/LICENSE'), 'utf8')
    this.emitFile({ type: 'asset', fileName: 'assets/noto-sans-sc-LICENSE.txt', source })
  },
}

export default defineConfig({
  plugins: [vue(), fontLicence],
  build: {
    // The wall's browser is chosen by the city and seldom renewed: nothing newer than 2022 is asked of it.
    target: 'es2022',
    // One HTML page a face: each loads only its own code. The desk gets its line here.
    rollupOptions: { input: { wall: page('./index.html'), 'sign-in': page('./sign-in.html'), officer: page('./officer.html') } },
    // ECharts alone is 550 kB before compression; it is loaded after the numbers stand.
    chunkSizeWarningLimit: 600,
    // Fonts stay files: inlined, every subset would be loaded whether its characters are shown or not.
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8000' } },
  test: { include: ['tests/**/*.test.ts'] },
})
