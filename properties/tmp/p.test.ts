import {it} from 'vitest';
import { writeFileSync } from 'node:fs';
import { sample } from '../../generators/sample.js';
import { count, type Census } from '../support/generators/census.js';
it('x',()=>{
  const cs = [20_250_907, 1].map(seed => { const c: Census = new Map(); const t=Date.now(); for (let i=0;i<2000;i++) count(c, sample(seed,i)); console.log(seed, Date.now()-t); return c; });
  const keys=[...new Set(cs.flatMap(c=>[...c.keys()]))].sort();
  writeFileSync('/tmp/wH/census.txt', keys.map(k=>`${k}\t${cs.map(c=>c.get(k)??0).join('\t')}`).join('\n'));
}, 120000);
