import '@fontsource-variable/noto-sans-sc/wght.css'
import '../styles/tokens.css'
import './officer.css'
import { createApp } from 'vue'
import App from './App.vue'
import { language, words } from './words'

document.documentElement.lang = language
document.title = words.pageTitle
createApp(App).mount('#app')
// Without it the page works all the same, but does not open without a signal.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  void navigator.serviceWorker.register('/officer-worker.js', { scope: '/officer.html' }).catch(() => undefined)
}
