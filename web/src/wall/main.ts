import '@fontsource-variable/noto-sans-sc/wght.css'
import '../styles/tokens.css'
import '../styles/base.css'
import { createApp } from 'vue'
import { language, words } from '../words'
import App from './App.vue'

document.documentElement.lang = language
document.title = words.title
createApp(App).mount('#app')
