// Bundles the page, which runs in a browser, into dist/src/page: one script and one style, which `report` puts into the files that it writes.
import { build } from 'vite';

await build({
  configFile: false,
  root: 'src/page',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/src/page',
    emptyOutDir: true,
    target: 'es2022',
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: 'src/page/main.tsx',
      output: { entryFileNames: 'page.js', assetFileNames: 'page[extname]', format: 'es' },
    },
  },
});
