import { mount } from 'svelte';
import App from './App.svelte';
import './lab.css';

mount(App, { target: document.getElementById('app') as HTMLElement });
