import '@fontsource-variable/noto-sans-sc/wght.css'
import '../styles/tokens.css'
import './sign-in.css'
import { createApp } from 'vue'
import App from './App.vue'
import { language, words } from './words'

document.documentElement.lang = language
document.title = words.pageTitle
createApp(App).mount('#app')
