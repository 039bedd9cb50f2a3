import { anchorOf } from '../../scripts/stage-site.ts';

const page = (text, name) => ({ text, link: `/docs/${name}` });

/** A page of the API reference for every subpath of the package. */
const api = [
  ['flipgrad', ''],
  ['flipgrad/node', 'platform/node'],
  ['flipgrad/browser', 'platform/browser'],
  ['flipgrad/neurons', 'neurons'],
  ['flipgrad/tensor', 'tensor'],
  ['flipgrad/estimate', 'estimate'],
].map(([text, module]) => ({ text, link: `/docs/api/${module}` }));

export default {
  title: 'flipgrad',
  description: 'Neural networks whose units flip coins, and whose gates let parts of them sleep.',
  srcDir: '.stage',
  srcExclude: ['public/**'],
  outDir: 'dist',
  // Links and anchors are checked in what is built: test/docs/site.test.ts.
  ignoreDeadLinks: true,
  markdown: { anchor: { slugify: anchorOf } },
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  // Figures of the lab: lab/figures.config.ts.
  head: [
    ['link', { rel: 'icon', href: '/lab/icon.svg' }],
    ['script', { type: 'module', src: '/lab/figures.js' }],
  ],
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === 'flipgrad-figure' } } },
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    nav: [
      page('Tutorial', 'tutorial'),
      page('Concepts', 'concepts'),
      page('Neurons', 'neurons'),
      page('Findings', 'findings'),
      { text: 'API', link: '/docs/api/' },
    ],
    sidebar: [
      {
        text: 'Start',
        items: [
          { text: 'What it is', link: '/' },
          page('Tutorial', 'tutorial'),
          page('Concepts', 'concepts'),
          page('The lab', 'lab'),
        ],
      },
      {
        text: 'Guides',
        items: [
          page('Command line', 'command-line'),
          page('Your own data', 'own-data'),
          page('Text', 'text'),
          page('Networks', 'networks'),
          page('Your own operation, module, loss', 'tensors'),
          page('Your own neuron', 'own-neuron'),
          page('Which neuron? advise and audit', 'choosing'),
          page('Certify a model', 'certify'),
          page('Counterexamples', 'counterexamples'),
          page('Black boxes', 'black-box'),
          page('Gates that pay', 'gates-that-pay'),
          page('Runs', 'runs'),
          page('Sweeps', 'sweeps'),
          page('Exports', 'export'),
          page('Browser apps', 'browser'),
        ],
      },
      {
        text: 'Reference',
        items: [page('The neurons', 'neurons'), { text: 'API', items: api }],
      },
      {
        text: 'Evidence',
        items: [page('Findings', 'findings'), page('Measured', 'measured'), page('Limits', 'limitations')],
      },
      {
        text: 'Inside',
        items: [page('Design', 'design'), page('Decisions', 'decisions'), page('Security', 'security')],
      },
    ],
  },
};
